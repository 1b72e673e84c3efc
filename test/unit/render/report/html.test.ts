import { describe, expect, it } from 'vitest';
import { escapeHtml, html } from '../../../../src/render/report/html.js';

describe('html', () => {
  it('escapes every value, in text and in attributes', () => {
    const evil = `"><img src=x onerror='alert(1)'>&`;
    expect(html`<p title="${evil}">${evil}</p>`.markup).toBe(
      '<p title="&quot;&gt;&lt;img src=x onerror=&#39;alert(1)&#39;&gt;&amp;">&quot;&gt;&lt;img src=x onerror=&#39;alert(1)&#39;&gt;&amp;</p>',
    );
  });

  it('keeps what is markup already, joins lists, and leaves out what is not there', () => {
    const item = (text: string) => html`<li>${text}</li>`;
    expect(html`${['<', 'b'].map(item)}${undefined}${false}${0}`.markup).toBe('<li>&lt;</li><li>b</li>0');
  });

  it('removes characters that HTML cannot hold', () => {
    expect(escapeHtml('a\u0000b\u001b[0m')).toBe('a b [0m');
  });
});

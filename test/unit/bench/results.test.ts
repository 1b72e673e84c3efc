import { describe, expect, it } from 'vitest';
import { table, withSection } from '../../../bench/support/results.js';

describe('withSection', () => {
  it('puts a section of a new name at the end', () => {
    const results = withSection('# Measured\n', { name: 'soak', about: ['today'], body: 'flat\n' });
    expect(results).toBe('# Measured\n\n## soak\n\n- today\n\nflat\n');
  });

  it('replaces the section of that name where it stands and leaves the others', () => {
    const earlier =
      '# Measured\n\n## soak\n\n- before\n\n### of it\n\nold\n\n## latency\n\n- before\n\nfast\n';
    const results = withSection(earlier, { name: 'soak', about: ['today'], body: 'flat' });
    expect(results).toBe('# Measured\n\n## soak\n\n- today\n\nflat\n\n## latency\n\n- before\n\nfast\n');
  });
});

describe('table', () => {
  it('aligns its columns, the first to the left', () => {
    const text = table(['type', 'n'], [['collide', '12']]);
    expect(text).toBe('| type    |   n |\n| ------- | --: |\n| collide |  12 |');
  });
});

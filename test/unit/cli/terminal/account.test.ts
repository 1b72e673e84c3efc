import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { Draft } from '../../../../src/core/messages.js';
import { TerminalAccount, type TerminalAccountOptions } from '../../../../src/cli/terminal/account.js';
import {
  anEvent,
  anExplanation,
  anObject,
  aPrediction,
  aScorecard,
  aState,
  created,
  objectsAt,
  resolved,
  story,
} from './story.js';

function tell(drafts: readonly Draft[], options: TerminalAccountOptions = {}): string[] {
  let text = '';
  const out = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString();
      done();
    },
  });
  const account = new TerminalAccount(out, {
    color: false,
    unicode: true,
    width: 120,
    stream: 'cam1',
    ...options,
  });
  for (const draft of drafts) account.show(draft);
  return text.split('\n').slice(0, -1);
}

const people = objectsAt(0, [anObject('o3'), anObject('o4'), anObject('o7')]);

describe('TerminalAccount', () => {
  it('tells the state of the stream, once for each change', () => {
    expect(
      tell([
        aState(0, 'live'),
        aState(1, 'live'),
        aState(9, 'reconnecting', 'no answer'),
        aState(70, 'ended'),
      ]),
    ).toEqual([
      '     0.0s  ● cam1 live  768×576 · 10 fps · h264',
      '     9.0s  ○ cam1 reconnecting  no answer',
      '   1:10.0  ○ cam1 ended',
    ]);
  });

  it('tells an event and, under it, why it happened', () => {
    expect(tell([anEvent('e5', 12.4), anExplanation('e5', 13.2)])).toEqual([
      '    12.4s  ● person #4 met person #7',
      '             │ because person #7 stopped at 9.2 s',
      '             ╰ and person #4 kept walking towards it for 2.1 s',
    ]);
  });

  it('names the event again when its explanation comes after something else', () => {
    const lines = tell([
      anEvent('e5', 12.4),
      anEvent('e6', 13, { type: 'stop' }),
      anExplanation('e5', 14, { chain: [] }),
    ]);
    expect(lines.slice(2)).toEqual([
      '             ─ why person #4 met person #7:',
      '             ╰ They met because person #4 walked towards person #7, which had stopped.',
    ]);
  });

  it('says nothing about an explanation of an event that was never told', () => {
    expect(tell([anExplanation('e99', 14)])).toEqual([]);
  });

  it('tells what is expected with its probability, what is usual, and why', () => {
    expect(tell([people, created(aPrediction('p1', 13))])).toEqual([
      '    13.0s  → expects: person #3 will leave the view within 3 s  ████████░░ 78 %  (usual 9 %)',
      '             ╰ because it walks at 1.4 body heights per second towards the left border.',
    ]);
  });

  it('tells a prediction again only when its probability has changed much', () => {
    const prediction = aPrediction('p1', 13);
    const updated = (probability: number): Draft => ({
      kind: 'prediction.updated',
      mediatime: 14,
      data: { prediction: { ...prediction, probability } },
    });
    const lines = tell([people, created(prediction), updated(0.7), updated(0.5), updated(0.45)]);
    expect(lines.slice(2)).toEqual([
      '    14.0s  ↻ now expects: person #3 will leave the view within 3 s  █████░░░░░ 50 %  (usual 9 %, before 78 %)',
    ]);
  });

  it('tells what came true and what did not', () => {
    const prediction = aPrediction('p1', 13);
    expect(
      tell([
        people,
        resolved(prediction, 'hit', 14.8),
        resolved(prediction, 'miss', 16),
        resolved(prediction, 'void', 16),
      ]),
    ).toEqual([
      '    14.8s  ✓ person #3 left the view – came true after 1.8 s (predicted 78 %)',
      '    16.0s  ✗ person #3 did not leave the view after all (predicted 78 %)',
      '    16.0s  ∅ person #3 will leave the view – could not be checked, the stream broke off (predicted 78 %)',
    ]);
  });

  it('tells the scorecard once a minute and at the end, when there is something to tell', () => {
    const card = (line: string): string =>
      `${line.padStart(9)}  ━ 37 forecasts checked  Brier 0.112 · skill +31 % · calibration error 0.058 · 1.8 s ahead`;
    expect(
      tell([aScorecard(10), aScorecard(61), aScorecard(62), aScorecard(90), aState(95, 'ended')]),
    ).toEqual([card('1:01.0'), card('1:35.0'), '   1:35.0  ○ cam1 ended']);
    expect(tell([aScorecard(61, 2), aState(62, 'ended')]).length).toBe(1);
  });

  it('wraps to the width, in ASCII where nothing else can be shown', () => {
    const lines = tell(story(), { width: 48, unicode: false, prefix: true });
    for (const line of lines) {
      expect(line.length).toBeLessThanOrEqual(48);
      expect(line).toMatch(/^cam1 [ -~]*$/);
    }
    expect(lines).toContain('cam1     14.8s  + person #3 left the view - came');
  });

  it('uses colours only when told to', () => {
    const escape = '\u001b[';
    expect(tell(story()).join('')).not.toContain(escape);
    expect(tell(story(), { color: true }).join('')).toContain(escape);
  });

  it('lets no control character of a message through', () => {
    const evil = anEvent('e1', 1, {
      participants: [{ id: 'o1', label: 'per\u001b[2Json\u202e\n', box: [0, 0, 1, 1] }],
      type: 'enter',
    });
    expect(tell([evil])).toEqual(['     1.0s  ● per [2Json #1 entered']);
  });
});

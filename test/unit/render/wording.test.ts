import { describe, expect, it } from 'vitest';
import { textTraits, toAscii } from '../../../src/cli/terminal/spans.js';
import {
  clean,
  mediaTime,
  ObjectNames,
  percent,
  predictedClause,
  windowPhrase,
} from '../../../src/render/wording.js';
import { anObject, aPrediction, objectsAt } from '../cli/terminal/story.js';

describe('wording', () => {
  it.each([
    [0, '0.0s'],
    [12.44, '12.4s'],
    [59.96, '1:00.0'],
    [187.2, '3:07.2'],
    [3729.5, '1:02:09.5'],
    [-0.01, '0.0s'],
  ])('writes %f media seconds as %s', (seconds, text) => expect(mediaTime(seconds)).toBe(text));

  it('does not round what is uncertain to certainty', () => {
    expect([0, 0.004, 0.784, 0.996, 1].map(percent)).toEqual([
      '0\u00a0%',
      '<\u00a01\u00a0%',
      '78\u00a0%',
      '>\u00a099\u00a0%',
      '100\u00a0%',
    ]);
  });

  it('says when a window opens', () => {
    expect(windowPhrase(aPrediction('p1', 13))).toBe('within 3\u00a0s');
    expect(windowPhrase(aPrediction('p1', 13, { window: { from: 15, to: 18 } }))).toBe('in 2 to 5\u00a0s');
  });

  it('names an object by its number alone until it is described, and forgets the oldest of very many', () => {
    const names = new ObjectNames();
    const event = { type: 'meet' as const, participants: ['o1', 'o2'] };
    names.learn(objectsAt(0, [anObject('o1')]));
    expect(predictedClause(event, names)).toBe('person #1 will meet #2');
    names.learn(
      objectsAt(
        0,
        Array.from({ length: 4096 }, (_, i) => anObject(`o${i + 10}`)),
      ),
    );
    expect(names.phrase('o1')).toBe('#1');
    expect(names.phrase('o10')).toBe('person #10');
  });

  it('takes control and direction characters out of a text', () => {
    expect(clean(' a\u0007\nb\u202ec ')).toBe('a b c');
  });
});

describe('textTraits', () => {
  const tty = Object.assign(Object.create(process.stderr) as NodeJS.WritableStream, {
    isTTY: true,
    columns: 90,
  });
  const pipe = Object.assign(Object.create(process.stderr) as NodeJS.WritableStream, {
    isTTY: false,
    columns: undefined,
  });
  it('colours a terminal unless told not to', () => {
    expect(textTraits(tty, { LANG: 'C.UTF-8' })).toMatchObject({ color: true, width: 90 });
    expect(textTraits(tty, { NO_COLOR: '1' }).color).toBe(false);
    expect(textTraits(pipe, {}).color).toBe(false);
    expect(textTraits(pipe, { FORCE_COLOR: '1' }).color).toBe(true);
    expect(textTraits(tty, { FORCE_COLOR: '0' }).color).toBe(false);
  });
  it.runIf(process.platform === 'linux')('uses more than ASCII only in a UTF-8 locale', () => {
    expect(textTraits(tty, { LANG: 'en_GB.UTF-8' }).unicode).toBe(true);
    expect(textTraits(tty, { LANG: 'en_GB.UTF-8', LC_ALL: 'C' }).unicode).toBe(false);
    expect(textTraits(tty, {}).unicode).toBe(false);
  });
  it('has an ASCII likeness of every sign', () => {
    expect(toAscii('● → ✓ ✗ “a” 3×4… é')).toBe('* > + x "a" 3x4... ?');
  });
});

/** docs/events.md, compared with the code that it describes. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  BORDER_BAND,
  CONFIRM_S,
  EVENT_TYPES,
  FAR,
  FAST,
  HORIZON_S,
  LOITER_HORIZON_S,
  NEAR,
  SLOW,
  TOUCH,
  UPRIGHT_LABELS,
  type EventType,
} from '../../../src/core/ontology.js';
import type { MemorySnapshot, ObjectRecord, ObjectSample } from '../../../src/core/memory.js';
import { CAUSAL_RELATIONS } from '../../../src/reasoner/explain/rules/relations.js';
import { salienceOf } from '../../../src/reasoner/explain/rules/salience.js';
import { dueItems } from '../../../src/reasoner/forecast/items.js';
import { trackStates } from '../../../src/reasoner/tracks/track-state.js';

const page = readFileSync(new URL('../../../docs/events.md', import.meta.url), 'utf8');

/** Cells of the table that follows a heading, header and rule left out. */
function tableUnder(heading: string): string[][] {
  const section = page.split(`\n${heading}\n`)[1] ?? '';
  const rows = section.slice(section.indexOf('\n|')).trimStart().split('\n\n')[0] ?? '';
  return rows
    .split('\n')
    .slice(2)
    .map((row) =>
      row
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

/** Names in back quotes. */
function namesIn(text: string): string[] {
  return [...text.matchAll(/`([a-z_-]+)`/g)].map(([, name]) => name ?? '');
}

describe('the overview of event types', () => {
  const rows = tableUnder('## Overview').map((row) => ({ type: namesIn(row[0] ?? '')[0] ?? '', row }));

  it('has each event type of the code once, in its order', () => {
    expect(rows.map(({ type }) => type)).toEqual([...EVENT_TYPES]);
  });

  it.each(rows.map(({ type, row }) => [type, row] as const))(
    'states the delay of %s and whether it is explained',
    (type, row) => {
      const event = { type: type as EventType, id: 'e1', participants: [], t: 0, confidence: 1 };
      expect(Number(row[3])).toBe(CONFIRM_S[type as EventType]);
      expect(row[4]?.replace(' ', '_')).toBe(salienceOf(event));
    },
  );
});

it('defines each event type', () => {
  const defined = [...page.matchAll(/^- \*\*(.+)\*\*:/gm)].flatMap(([, names]) => namesIn(names ?? ''));
  expect(defined.toSorted()).toEqual([...EVENT_TYPES].toSorted());
});

it('states the thresholds of the code', () => {
  expect(page).toContain(`Above ${FAST} an object moves, below ${SLOW} it stands`);
  expect(page).toContain(`gap below ${NEAR} for at least 0.8 s, after it was above ${FAR}`);
  expect(page).toContain(`the box distance is below ${TOUCH}`);
  expect(page).toContain(`the outer ${BORDER_BAND * 100} % of the frame`);
  expect(page).toContain(`the horizon: ${HORIZON_S} s, and ${LOITER_HORIZON_S} s for \`loiter\``);
  expect(page).toContain([...UPRIGHT_LABELS].map((label) => `\`${label}\``).join(', '));
});

it('lists the items of the standard forecast that a standing and a walking person before a zone and a line give', () => {
  const listed = tableUnder('## The standard forecast').flatMap((row) => namesIn(row[0] ?? ''));
  const given = new Set(dueItems(trackStates(SCENE), SCENE).map(({ type }) => type));
  expect(listed.toSorted()).toEqual([...given].toSorted());
});

it('lists each relation of an explanation', () => {
  const table = page.slice(page.indexOf('## Causes'));
  for (const relation of CAUSAL_RELATIONS) expect(table).toContain(`\n| \`${relation}\``);
});

/** A person who stands and one who walks, three body heights apart, both for 4 s. */
const SCENE: MemorySnapshot = {
  t: 4,
  width: 1000,
  height: 1000,
  objects: [person('o1', 400, 0), person('o2', 700, 60)],
  departed: [],
  events: [],
  scenes: [],
  relations: [],
  places: { columns: 1, rows: 1, exposure: [4], events: {} } as unknown as MemorySnapshot['places'],
  zones: {
    zones: {
      door: [
        [0, 0],
        [1, 0],
        [1, 1],
      ],
    },
    lines: {
      gate: [
        [0, 0],
        [1, 1],
      ],
    },
  },
};

function person(id: string, x: number, speedPx: number): ObjectRecord {
  const samples = Array.from({ length: 41 }, (_, k): ObjectSample => {
    const left = x + (speedPx * (k - 40)) / 10;
    return {
      t: k / 10,
      box: [left - 20, 400, 40, 100],
      position: [left, 500],
      height: 100,
      velocity: k < 6 ? undefined : [speedPx, 0],
      speed: k < 6 ? undefined : speedPx / 100,
    };
  });
  const record = { id, label: 'person', upright: true, firstSeen: 0, lastSeen: 4, samples };
  return record as unknown as ObjectRecord;
}

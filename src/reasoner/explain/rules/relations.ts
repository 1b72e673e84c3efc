import type { EventType } from '../../../core/ontology.js';

/**
 * How a step of a chain leads to the next one:
 * - `enables`: makes it possible (it entered, so it could be met)
 * - `triggers`: is what set it off (it turned, so it came near)
 * - `pushes`: a contact that changed a motion
 * - `blocks`: was in the way, so that a motion ended
 * - `precedes`: is the usual step before; no mechanism is claimed
 * - `outcome`: the explained event itself, always the last step
 */
export const CAUSAL_RELATIONS = ['enables', 'triggers', 'pushes', 'blocks', 'precedes', 'outcome'] as const;
export type CausalRelation = (typeof CAUSAL_RELATIONS)[number];

/** Relations by which another object acts: third objects of such a link are candidates for necessary causes. */
export const INFLUENCES: ReadonlySet<CausalRelation> = new Set<CausalRelation>([
  'triggers',
  'pushes',
  'blocks',
]);

/** One kind of link between an earlier and a later event. */
export interface LinkRule {
  readonly relation: CausalRelation;
  /** Plausibility when the later follows at once, 0–1: a rule of thumb, not a fitted figure. */
  readonly prior: number;
  /** The earlier event is no candidate when it is older than this, s. */
  readonly windowS: number;
  /** Plausibility falls by e for each such time between the two, s. */
  readonly decayS: number;
  /** What the two must share: one object, or all participants of the earlier. */
  readonly shares: 'object' | 'all';
}

const PLACE_TYPES = ['zone_enter', 'zone_leave', 'line_cross'] as const satisfies readonly EventType[];
/** What an object may do once it is there. */
const DEEDS = [
  'exit',
  'disappear',
  'start_moving',
  'stop',
  'turn',
  'meet',
  'approach',
  'collide',
  ...PLACE_TYPES,
  'loiter',
  'follow',
  'pick_up',
  'put_down',
  'fall',
] as const satisfies readonly EventType[];

type Row = readonly [
  to: readonly EventType[],
  relation: CausalRelation,
  prior: number,
  windowS: number,
  decayS: number,
  shares?: 'all',
];

/**
 * The table of links: for each earlier type, what it may lead to. Priors order the rival accounts of one event: contact
 * before intent, a change of motion before mere presence. Windows are the time in which a mechanism of that kind acts.
 */
const TABLE: Readonly<Partial<Record<EventType, readonly Row[]>>> = {
  enter: [[DEEDS, 'enables', 0.3, 10, 10]],
  appear: [[DEEDS, 'enables', 0.3, 10, 10]],
  collide: [
    [['start_moving'], 'pushes', 0.9, 2, 2],
    [['turn', 'fall', 'put_down'], 'pushes', 0.8, 2, 1.5],
    [['collide'], 'pushes', 0.8, 10, 10],
    [['approach', 'meet'], 'pushes', 0.6, 6, 4],
    [['stop'], 'blocks', 0.7, 3, 2],
    [['exit', ...PLACE_TYPES], 'pushes', 0.5, 5, 3],
    [['separate'], 'precedes', 0.6, 5, 3, 'all'],
    [['disappear'], 'precedes', 0.4, 2, 1],
  ],
  approach: [
    [['meet', 'collide'], 'precedes', 0.8, 4, 3, 'all'],
    [['stop'], 'blocks', 0.6, 3, 2],
    [['turn'], 'triggers', 0.6, 3, 1.5],
    [['start_moving'], 'triggers', 0.4, 2, 1],
    [['follow', 'pick_up'], 'precedes', 0.5, 5, 4, 'all'],
  ],
  meet: [
    [['stop'], 'triggers', 0.6, 2, 1.5],
    [['separate'], 'enables', 0.5, 10, 10, 'all'],
    [['follow', 'pick_up', 'put_down'], 'enables', 0.6, 6, 5, 'all'],
    [['turn'], 'triggers', 0.4, 2, 1.5],
    [['start_moving'], 'triggers', 0.3, 2, 1],
    [['loiter'], 'precedes', 0.4, 10, 10],
  ],
  start_moving: [
    [['separate'], 'triggers', 0.8, 3, 2],
    [['approach', 'collide'], 'triggers', 0.7, 8, 5],
    [['meet', 'exit', 'follow', ...PLACE_TYPES], 'triggers', 0.6, 8, 5],
    [['turn', 'stop', 'disappear', 'pick_up'], 'precedes', 0.3, 4, 3],
  ],
  turn: [
    [['approach', 'separate'], 'triggers', 0.7, 3, 2],
    [['meet', 'collide', 'exit', 'follow', ...PLACE_TYPES], 'triggers', 0.6, 6, 4],
    [['stop', 'disappear'], 'precedes', 0.3, 3, 2],
  ],
  stop: [
    [['loiter'], 'enables', 0.8, 12, 12],
    [['meet', 'pick_up', 'put_down'], 'enables', 0.5, 5, 4],
    [['collide'], 'enables', 0.4, 5, 4],
    [['start_moving'], 'precedes', 0.25, 5, 5],
  ],
  separate: [[['exit', 'turn'], 'precedes', 0.4, 6, 5]],
  follow: [[['meet', 'turn', 'stop'], 'triggers', 0.4, 4, 3]],
  pick_up: [
    [['put_down'], 'enables', 0.9, 10, 30, 'all'],
    [['start_moving'], 'triggers', 0.6, 3, 2],
    [['exit', 'disappear'], 'enables', 0.4, 10, 8],
  ],
  put_down: [[['start_moving', 'turn', 'exit'], 'precedes', 0.4, 6, 4]],
  fall: [[['stop'], 'triggers', 0.7, 2, 2]],
  zone_enter: [
    [['zone_leave'], 'enables', 0.3, 10, 10],
    [['loiter'], 'enables', 0.4, 12, 12],
  ],
};

const RULES = new Map<string, LinkRule>();
for (const [from, rows] of Object.entries(TABLE)) {
  for (const [targets, relation, prior, windowS, decayS, shares] of rows) {
    for (const to of targets) {
      RULES.set(`${from}>${to}`, { relation, prior, windowS, decayS, shares: shares ?? 'object' });
    }
  }
}

/** The rule by which an event of type `from` may lead to one of type `to`; undefined when none is known. */
export function linkRule(from: EventType, to: EventType): LinkRule | undefined {
  return RULES.get(`${from}>${to}`);
}

/** The event types of the specification and their constants. Times in seconds, speeds in body heights per second. */
export const EVENT_TYPES = [
  'enter',
  'appear',
  'exit',
  'disappear',
  'start_moving',
  'stop',
  'turn',
  'meet',
  'separate',
  'approach',
  'collide',
  'zone_enter',
  'zone_leave',
  'line_cross',
  'loiter',
  'follow',
  'pick_up',
  'put_down',
  'fall',
] as const;
/** The types of events: docs/events.md. */
export type EventType = (typeof EVENT_TYPES)[number];

/** Types of the standard forecast. */
export type ForecastType = Extract<
  EventType,
  | 'exit'
  | 'stop'
  | 'start_moving'
  | 'turn'
  | 'meet'
  | 'collide'
  | 'zone_enter'
  | 'zone_leave'
  | 'line_cross'
  | 'loiter'
>;

/** Types whose participants have roles: their order counts (`follow`: follower first; `pick_up`: agent first). */
export const ORDERED_TYPES: ReadonlySet<EventType> = new Set<EventType>(['follow', 'pick_up', 'put_down']);

/** Seconds after `t` until an event is certain: the minimum delay of its report. */
export const CONFIRM_S: Readonly<Record<EventType, number>> = {
  enter: 0.5,
  appear: 0.5,
  exit: 1.0,
  disappear: 1.0,
  start_moving: 0.4,
  stop: 0.8,
  turn: 0.8,
  meet: 0.8,
  separate: 0.8,
  approach: 0.4,
  collide: 0.4,
  zone_enter: 0.2,
  zone_leave: 0.2,
  line_cross: 0.2,
  loiter: 0,
  follow: 0,
  pick_up: 0.8,
  put_down: 0.8,
  fall: 1.0,
};

/** Samples per second of the grid on which events are defined; sample k stands for t = k / SAMPLE_HZ. */
export const SAMPLE_HZ = 10;
/** Tolerance of comparisons of media times, s. */
export const TIME_EPSILON = 1e-6;
/** Below SLOW an object stands, above FAST it moves, body heights per second. */
export const SLOW = 0.15;
export const FAST = 0.35;
/** Distance of two positions in mean body heights: below NEAR the objects meet, above FAR they are apart. */
export const NEAR = 0.7;
export const FAR = 1.2;
/** Gap of two boxes in mean sizes below which they are in contact. */
export const TOUCH = 0.15;
/** Width of the border band as a fraction of the frame. */
export const BORDER_BAND = 0.03;
/** A condition must be false for this long before its event can be reported again, s. */
export const REARM_S = 1.0;
/** A track unseen for this long has ended, s. */
export const UNSEEN_S = 1.0;
/** Horizon of the standard forecast, s, and of `loiter` in it. */
export const HORIZON_S = 3;
export const LOITER_HORIZON_S = 10;
export const LOITER_S = 10;

/** Labels whose position is the bottom centre of the box: people and animals. */
export const UPRIGHT_LABELS: ReadonlySet<string> = new Set([
  'person',
  'bird',
  'cat',
  'dog',
  'horse',
  'sheep',
  'cow',
  'elephant',
  'bear',
  'zebra',
  'giraffe',
]);

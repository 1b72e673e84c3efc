import type { EventType } from '../../core/ontology.js';
import type { RelationKind } from '../../core/records/records.js';

/** The words that questions are made of. Everything is lower case. */

/** From zero to twenty, in order. */
const COUNTED =
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty';
export const NUMBER_WORDS: ReadonlyMap<string, number> = new Map([
  ...COUNTED.split(' ').map((word, value) => [word, value] as const),
  ...([
    ['thirty', 30],
    ['forty', 40],
    ['fifty', 50],
    ['sixty', 60],
    ['ninety', 90],
    ['hundred', 100],
  ] as const),
]);

/** Seconds of a unit of time. */
export const UNITS: ReadonlyMap<string, number> = new Map(
  Object.entries<number>({
    ...Object.fromEntries(['s', 'sec', 'secs', 'second', 'seconds'].map((word) => [word, 1])),
    ...Object.fromEntries(['m', 'min', 'mins', 'minute', 'minutes'].map((word) => [word, 60])),
    ...Object.fromEntries(['h', 'hr', 'hrs', 'hour', 'hours'].map((word) => [word, 3600])),
    ...Object.fromEntries(['d', 'day', 'days'].map((word) => [word, 86_400])),
  }),
);

/** Nouns that a number names an object after: `object 4`. */
export const OBJECT_NOUNS: ReadonlySet<string> = new Set([
  ...['object', 'id', 'number', 'no', 'nr', 'track', 'thing'],
  ...[
    'person',
    'man',
    'woman',
    'car',
    'vehicle',
    'truck',
    'bus',
    'bicycle',
    'bike',
    'dog',
    'cat',
    'ball',
    'cube',
  ],
]);

/** What people call the objects of a label, besides its own name and plural. */
const SYNONYMS: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries<readonly string[]>({
    person: [
      ...[
        'people',
        'persons',
        'man',
        'men',
        'woman',
        'women',
        'human',
        'humans',
        'pedestrian',
        'pedestrians',
      ],
      ...[
        'child',
        'children',
        'visitor',
        'visitors',
        'somebody',
        'someone',
        'anybody',
        'anyone',
        'everybody',
      ],
      ...['everyone', 'guy', 'guys', 'boy', 'boys', 'girl', 'girls'],
    ],
    car: ['automobile', 'automobiles'],
    bicycle: ['bike', 'bikes', 'cycle', 'cycles'],
    motorcycle: ['motorbike', 'motorbikes'],
    truck: ['lorry', 'lorries'],
    bus: ['buses', 'busses'],
    'sports ball': ['ball', 'balls'],
    suitcase: ['luggage'],
    'cell phone': ['phone', 'phones', 'mobile'],
    tv: ['television', 'televisions', 'screen', 'screens'],
    couch: ['sofa', 'sofas'],
    sheep: ['sheep'],
    skis: ['skis'],
    scissors: ['scissors'],
    knife: ['knives'],
    'wine glass': ['wine glasses', 'glass', 'glasses'],
    bench: ['benches'],
    toothbrush: ['toothbrushes'],
    sandwich: ['sandwiches'],
  }),
);
const VEHICLES = ['car', 'truck', 'bus', 'motorcycle', 'bicycle', 'train'];
const ANIMALS = ['bird', 'cat', 'dog', 'horse', 'sheep', 'cow', 'elephant', 'bear', 'zebra', 'giraffe'];
const BAGS = ['handbag', 'backpack', 'suitcase'];
/** Words for several labels at once. */
const GROUPS: ReadonlyMap<string, readonly string[]> = new Map([
  ...['vehicle', 'vehicles'].map((word) => [word, VEHICLES] as const),
  ...['animal', 'animals'].map((word) => [word, ANIMALS] as const),
  ...['bag', 'bags'].map((word) => [word, BAGS] as const),
]);

/** Labels by the words for them: own names, plurals, synonyms. Words of several are joined by one space. */
export function labelWords(labels: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const words = new Map<string, readonly string[]>(GROUPS);
  for (const label of new Set([...SYNONYMS.keys(), ...labels])) {
    for (const word of SYNONYMS.get(label) ?? []) words.set(word, [label]);
  }
  // A label of the stream's own wins over a synonym: where something is called `ball`, a ball is that.
  for (const label of new Set([...SYNONYMS.keys(), ...labels])) {
    words.set(`${label}s`, [label]);
    words.set(label, [label]);
  }
  return words;
}

/** Words for whatever it may be. */
export const ANYTHING: ReadonlySet<string> = new Set([
  ...[
    'anything',
    'something',
    'everything',
    'object',
    'objects',
    'thing',
    'things',
    'one',
    'ones',
    'track',
    'tracks',
  ],
]);
/** Words that deny. */
export const NEGATIONS: ReadonlySet<string> = new Set(['not', 'never', 'without']);
export const NOBODY: ReadonlyMap<string, 'person' | 'any'> = new Map(
  Object.entries<'person' | 'any'>({
    nobody: 'person',
    'no-one': 'person',
    none: 'any',
    nothing: 'any',
    no: 'any',
  }),
);
export const PRONOUNS: ReadonlySet<string> = new Set([
  ...['he', 'she', 'it', 'they', 'him', 'her', 'them', 'his', 'their', 'its', 'i', 'we', 'you', 'us'],
]);

/** What a verb, or the noun made of it, stands for. */
export interface Deed {
  readonly types: readonly EventType[];
  /** Events that nearly say the same; told where there is none of `types`. */
  readonly kin?: readonly EventType[];
  /** Instead of `types` when a zone or line is named. */
  readonly atPlace?: readonly EventType[];
  /** What holds for a time instead of happening at once. */
  readonly relations?: readonly RelationKind[];
}

const ENTER: Deed = { types: ['enter'], kin: ['appear'], atPlace: ['zone_enter'] };
const EXIT: Deed = { types: ['exit'], kin: ['disappear'], atPlace: ['zone_leave'] };
const APPEAR: Deed = { types: ['appear'], kin: ['enter'] };
const DISAPPEAR: Deed = { types: ['disappear'], kin: ['exit'] };
const START: Deed = { types: ['start_moving'] };
const STOP: Deed = { types: ['stop'] };
const TURN: Deed = { types: ['turn'] };
const MEET: Deed = { types: ['meet'] };
const SEPARATE: Deed = { types: ['separate'] };
const APPROACH: Deed = { types: ['approach'] };
const COLLIDE: Deed = { types: ['collide'] };
const CROSS: Deed = { types: ['line_cross'] };
const LOITER: Deed = { types: ['loiter'] };
const FOLLOW: Deed = { types: ['follow'], relations: ['following'] };
const PICK: Deed = { types: ['pick_up'] };
const PUT: Deed = { types: ['put_down'] };
const FALL: Deed = { types: ['fall'] };
const NEAR: Deed = { types: [], relations: ['near'] };
const TOUCH: Deed = { types: [], relations: ['touching'] };
const CARRY: Deed = { types: [], relations: ['carrying'] };
const TOWARDS: Deed = { types: [], relations: ['moving-towards'] };

const WORDS_OF_DEEDS: readonly (readonly [Deed, string])[] = [
  [ENTER, 'come in|comes in|came in|coming in|come into|came into|comes into|enter|enters|entered|entering'],
  [
    ENTER,
    'arrive|arrives|arrived|arriving|arrival|arrivals|entry|entries|go in|went in|gone in|walk in|walked in',
  ],
  [ENTER, 'walk into|walked into|drive into|drove into|go into|went into|get into|got into|come|comes|came'],
  [EXIT, 'leave|leaves|left|leaving|exit|exits|exited|exiting|go away|went away|gone away|go out|went out'],
  [EXIT, 'depart|departs|departed|departure|departures|walk out|walked out|walk away|walked away|drive off'],
  [EXIT, 'drove off|drive away|drove away|gone'],
  [APPEAR, 'appear|appears|appeared|appearing|appearance|appearances|show up|showed up|turn up|turned up'],
  [
    DISAPPEAR,
    'disappear|disappears|disappeared|disappearing|disappearance|disappearances|vanish|vanished|vanishes',
  ],
  [
    START,
    'start moving|starts moving|started moving|start to move|started to move|begin to move|began to move',
  ],
  [
    START,
    'begin moving|began moving|start walking|started walking|start driving|started driving|set off|sets off',
  ],
  [START, 'move off|moved off|start rolling|started rolling|start|started'],
  [STOP, 'stop|stops|stopped|stopping|halt|halts|halted|come to a halt|came to a halt|come to a stop'],
  [STOP, 'came to a stop|come to rest|came to rest|stop moving|stopped moving|stand still|stood still'],
  [TURN, 'turn around|turned around|turn|turns|turned|turning|change direction|changed direction'],
  [MEET, 'meet|meets|met|meeting|meetings|encounter|encounters|encountered|come together|came together'],
  [
    SEPARATE,
    'separate|separates|separated|separation|separations|part|parted|part ways|parted ways|split up',
  ],
  [
    APPROACH,
    'approach|approaches|approached|approaching|come near|came near|come close|came close|walk up|walked up',
  ],
  [
    COLLIDE,
    'collide|collides|collided|colliding|collision|collisions|crash|crashes|crashed|hit|hits|bump|bumped',
  ],
  [COLLIDE, 'run into|ran into|strike|struck|impact|impacts'],
  [CROSS, 'cross|crosses|crossed|crossings|pass|passed|passes|go across|went across'],
  [
    LOITER,
    'loiter|loiters|loitered|loitering|linger|lingers|lingered|lingering|hang around|hung around|wait|waits|waited|waiting',
  ],
  [
    FOLLOW,
    'follow|follows|followed|following|chase|chases|chased|go after|went after|walk behind|walked behind',
  ],
  [
    PICK,
    'pick up|picks up|picked up|picking up|pick|picked|lift|lifts|lifted|grab|grabs|grabbed|take|takes|took|taken',
  ],
  [PUT, 'put down|puts down|put|drop|drops|dropped|set down|lay down|laid down'],
  [FALL, 'fall|falls|fell|fallen|falling|fall down|fell down|fall over|fell over'],
  [NEAR, 'near|next to|close to|beside|together|with|accompany|accompanied|nearby'],
  [TOUCH, 'touch|touches|touched|touching|in contact with|contact|contacts'],
  [CARRY, 'carry|carries|carried|carrying|hold|holds|held|holding'],
  [
    TOWARDS,
    'move towards|moved towards|moving towards|move toward|moved toward|moving toward|walk towards|walked towards|walking towards|head for|headed for|heading for',
  ],
];

/** Deeds by their words; those of several words are joined by one space. */
export const DEEDS: ReadonlyMap<string, Deed> = new Map(
  WORDS_OF_DEEDS.flatMap(([deed, words]) => words.split('|').map((word) => [word, deed] as const)),
);
export const LONGEST_DEED = Math.max(...[...DEEDS.keys()].map((words) => words.split(' ').length));

/** Types with two participants. */
export const PAIR_TYPES: ReadonlySet<EventType> = new Set<EventType>([
  ...(['meet', 'separate', 'approach', 'collide', 'follow', 'pick_up', 'put_down'] as const),
]);

/** Words that carry nothing that the grammar needs. */
export const FILLERS: ReadonlySet<string> = new Set([
  ...[
    'the',
    'a',
    'an',
    'of',
    'to',
    'in',
    'at',
    'on',
    'onto',
    'into',
    'through',
    'over',
    'up',
    'by',
    'for',
    'from',
    'out',
  ],
  ...[
    'is',
    'are',
    'was',
    'were',
    'be',
    'been',
    'being',
    'am',
    'did',
    'do',
    'does',
    'done',
    'doing',
    'has',
    'have',
  ],
  ...[
    'had',
    'can',
    'could',
    'there',
    'here',
    'this',
    'that',
    'these',
    'those',
    'please',
    'me',
    'tell',
    'show',
    'list',
  ],
  ...[
    'give',
    'any',
    'all',
    'during',
    'and',
    'or',
    'view',
    'picture',
    'frame',
    'scene',
    'camera',
    'video',
    'recording',
  ],
  ...[
    'ever',
    'so',
    'far',
    'yet',
    'already',
    'exactly',
    'about',
    'zone',
    'line',
    'area',
    'place',
    'time',
    'times',
    'other',
  ],
  ...[
    'each',
    'another',
    'different',
    'event',
    'events',
    'happen',
    'happens',
    'happened',
    'happening',
    'both',
    'also',
  ],
  ...[
    'visible',
    'present',
    'seen',
    'see',
    'you',
    'know',
    'still',
    'way',
    'anywhere',
    'else',
    'some',
    'every',
    'everything',
  ],
]);

/** What can be asked, shown when a question was not understood. */
export const EXAMPLES: readonly string[] = [
  'when did #4 meet #7?',
  'what happened before the collision?',
  'how many people came in in the last ten minutes?',
  'who is here now?',
  'where did #3 go?',
  'what did #2 do between 10 and 30 s?',
  'how long did #5 stay?',
  'which cars stopped in ZONE?',
  'did anyone fall?',
  'why did #1 stop?',
  'what happens next?',
  'where else was #3?',
  'what is in the left half right now?',
  'look again at 12.3 s near #3',
];

import { describe, expect, it } from 'vitest';
import { parseQuestion } from '../../../../src/ask/parser/parse.js';

const NOW = 1000;
const vocabulary = { labels: ['person', 'car', 'dog'], places: ['loading bay', 'gate'] };

/** A query in one line: kind, verb's first type or relation, who, whom, place, time. */
function brief(question: string): string {
  const query = parseQuestion(question, vocabulary, NOW);
  if ('problem' in query) return 'not understood';
  const pattern =
    'pattern' in query
      ? query.pattern
      : 'of' in query && typeof query.of === 'object' && 'deed' in query.of
        ? query.of
        : undefined;
  const names = (who: { ids: readonly string[]; labels?: readonly string[] } | undefined): string =>
    who === undefined ? '' : who.ids.length > 0 ? who.ids.join('+') : (who.labels?.join('+') ?? '*');
  const parts = [
    query.kind,
    ...(pattern
      ? [
          pattern.deed.types[0] ?? pattern.deed.relations?.[0] ?? '',
          names(pattern.a),
          ...(pattern.b ? [names(pattern.b)] : []),
        ]
      : []),
    ...('who' in query && query.kind !== 'next' ? [names(query.who)] : []),
    ...(query.kind === 'next' && query.who.ids.length > 0 ? [names(query.who)] : []),
    ...('asked' in query && query.asked === 'b' ? ['whom'] : []),
    ...('negated' in query && query.negated ? ['not'] : []),
    ...('order' in query && query.order !== 'all' ? [query.order] : []),
    ...(query.kind === 'count' ? [query.of] : []),
    ...(query.kind === 'present' && query.as !== 'list' ? [query.as] : []),
    ...(query.kind === 'when' && query.ago ? ['ago'] : []),
    ...((query.kind === 'present' || query.kind === 'stay' || query.kind === 'look') &&
    query.place !== undefined
      ? [`@${query.place}`]
      : pattern?.place === undefined
        ? []
        : [`@${pattern.place}`]),
    ...(query.kind === 'look' && query.region ? [query.region.box.join(',')] : []),
    ...(query.period ? [`${query.period.from}..${query.period.to}`] : []),
    ...(query.kind !== 'look' && query.anchor
      ? [
          `${query.anchor.side} ${'event' in query.anchor.of ? query.anchor.of.event : (query.anchor.of.deed.types[0] ?? '')}`,
        ]
      : []),
  ];
  return parts.join(' ');
}

describe('parseQuestion', () => {
  it.each([
    ['when did #4 meet #7?', 'when meet o4 o7'],
    ['When did o4 meet object 7?', 'when meet o4 o7'],
    ['when did person 4 and #7 meet', 'when meet o4 o7'],
    ['at what time did the car leave', 'when exit car'],
    ['when did the first person come in?', 'when enter person first'],
    ['when was the last collision?', 'when collide * last'],
    ['tell me when #4 stopped last', 'when stop o4 last'],
    ['how long ago did #4 leave?', 'when exit o4 ago'],
    ['look again at 12.3 s near the gate', 'look * @gate 10.3..14.3'],
    ['what is in the left half right now?', 'look * 0,0,0.5,1 1000..1000'],
    ['who is at the top right of the picture?', 'look * 0.5,0,0.5,0.5'],
    ['are there any dogs in the lower left corner now?', 'look dog 0,0.5,0.5,0.5 1000..1000'],
    ['what was in the middle of the view 20 s ago', 'look * 0.25,0.25,0.5,0.5 978..982'],
    ['look closer at #3', 'look o3'],
    ['look at the bottom third between 10 and 20 s', `look * 0,${1 - 1 / 3},1,${1 / 3} 10..20`],
    ['can you take another look at e12', 'look *'],
    ['look again for a dog', 'look dog'],
    ['look again for the meaning of life', 'not understood'],
    ['who stopped in the left half?', 'not understood'],
    ['list all collisions', 'when collide *'],
    ['collisions', 'when collide *'],
    ['did #4 meet #7?', 'whether meet o4 o7'],
    ["didn't #4 meet #7?", 'whether meet o4 o7 not'],
    ['did anyone fall?', 'whether fall person'],
    ['did nobody fall?', 'whether fall person not'],
    ['was there a collision?', 'whether collide *'],
    ['did a car and a person collide?', 'whether collide car person'],
    ['was #4 followed by #7?', 'whether follow o7 o4'],
    ['did #4 leave before #7?', 'whether exit o4 before exit'],
    ['did #4 meet #7 in the last half hour?', 'whether meet o4 o7 -800..1000'],
    ['who met #4?', 'who meet * o4'],
    ['who did #4 meet?', 'who meet o4 whom'],
    ['who was followed by #4?', 'who follow o4 whom'],
    ['who was near #4', 'who near * o4'],
    ['who carried a dog?', 'who carrying * dog'],
    ['what did #4 pick up?', 'who pick_up o4 whom'],
    ['which cars stopped in loading bay?', 'who stop car @loading bay'],
    ['which cars stopped in the Loading Bay between 10 s and 20 s?', 'who stop car @loading bay 10..20'],
    ['which people did not leave?', 'who exit person not'],
    ['who never stopped?', 'who stop * not'],
    ['who was first to leave', 'who exit * first'],
    ['who came in last?', 'who enter * last'],
    ['who crossed gate?', 'who line_cross * @gate'],
    ['who left after #4 met #7?', 'who exit * after meet'],
    ['before #4 left, who came in?', 'who enter * before exit'],
    ['how many people came in in the last ten minutes?', 'count enter person objects 400..1000'],
    ['how many people came in the last 2 minutes?', 'count enter person objects 880..1000'],
    ['how many people left within the last hour', 'count exit person objects -2600..1000'],
    ['how many collisions were there?', 'count collide * events'],
    ['how many times did #4 stop?', 'count stop o4 events'],
    ['how often did #4 meet #7', 'count meet o4 o7 events'],
    ['who is here now?', 'present * 1000..1000'],
    ["who's here?", 'present *'],
    ['is #4 still here?', 'present o4 whether'],
    ['is there a dog?', 'present dog whether'],
    ['how many cars are here?', 'present car count'],
    ['how many cars are in loading bay', 'present car count @loading bay'],
    ['how many people were here when #4 met #7?', 'present person count at meet'],
    ['where did o3 go?', 'where o3'],
    ['where was #3 at 10 s?', 'where o3 8..12'],
    ['where did the collision happen?', 'where-event collide *'],
    ['what did o2 do between 10 and 30 s?', 'doings o2 10..30'],
    ['what has #2 done since 1:30', 'doings o2 90..Infinity'],
    ['what happened to #3?', 'doings o3'],
    ['what happened before the collision?', 'happenings before collide'],
    ['after the collision, what happened?', 'happenings after collide'],
    ['what happened after e12?', 'happenings after e12'],
    ['what happened 30 seconds ago?', 'happenings 968..972'],
    ['what happened in the first minute', 'happenings 0..60'],
    ['what happened between 1 and 2 minutes', 'happenings 60..120'],
    ['how long did #5 stay?', 'stay o5'],
    ['how long was #5 in the loading bay', 'stay o5 @loading bay'],
    ['how long did #9 follow #11?', 'lasting follow o9 o11'],
    ['how long were #1 and #2 together?', 'lasting near o1 o2'],
    ['why did #1 stop?', 'why stop o1'],
    ['why e12?', 'why'],
    ['what happens next?', 'next'],
    ['what will #3 do next?', 'next o3'],
    ['will #3 leave?', 'next exit o3'],
    ['will anyone fall in the next 3 s?', 'next fall person 1000..1003'],
    ['where else was #3?', 'alike o3'],
    ['who looks like #3?', 'alike o3'],
    ['who is #3?', 'about o3'],
  ])('reads "%s"', (question, expected) => {
    expect(brief(question)).toBe(expected);
  });

  it.each([
    '',
    '???',
    'hello',
    'what is the meaning of life?',
    'who wears a red hat?',
    'what did he do?',
    'who came in yesterday?',
    'did #1 meet #2 and #3 and #4 while dancing?',
    'asdf qwer',
    'when',
    'which cars stopped in the harbour?',
    'when did #4 not meet #7?',
    'drop table objects; --',
    'x'.repeat(10_000),
  ])('does not pretend to understand "%.40s"', (question) => {
    expect(brief(question)).toBe('not understood');
  });

  it('names the word that it does not know, and the places that there are', () => {
    expect(parseQuestion('which cars stopped in the harbour?', vocabulary, NOW)).toEqual({
      problem: expect.stringMatching(/"harbour".*places: loading bay, gate/) as string,
    });
  });
});

import { z } from 'zod';
import { iou, type Box } from '../../core/maths/box.js';
import { PresageError, toPresageError, type ErrorCode } from '../../core/errors.js';
import {
  inspectionRequestOf,
  type InspectionFinding,
  type Inspection,
  type InspectionRequest,
  type VideoInspector,
} from '../../core/inspection.js';
import type { ObservedEvent, ReportedInspection } from '../../core/messages.js';
import { objectName, objectPhrase } from '../../core/text/object-names.js';
import type { Hit, MemoryQueries } from '../../core/records/query.js';
import type { ObjectHistory, Span } from '../../core/records/records.js';
import { boxAt } from '../places.js';
import { clauseOf } from '../answers/phrasing.js';
import { TOOL_NAMES, TOOLS, type ToolName } from './tool-schemas.js';

export interface ToolBoxOptions {
  /** Memory, or the archive, or what a snapshot holds (`recordsOfSnapshot`). */
  readonly queries: MemoryQueries;
  /** Nothing later is told, media s. */
  readonly now: number;
  /** Without it, `look_again` is not offered. */
  readonly video?: VideoInspector | undefined;
}

/** What a tool told. It goes to a language model as JSON, so it is short. */
export type ToolResult =
  | {
      readonly ok: true;
      readonly value: unknown;
      /** Evidence: what was looked at. */
      readonly inspections: readonly ReportedInspection[];
    }
  | { readonly ok: false; readonly error: { readonly code: ErrorCode; readonly message: string } };

/** Bounds of one result. */
const MAX_EVENTS = 20;
const MAX_HITS = 10;
const MAX_RELATIONS = 20;
/** Findings of one picture that are told to a model; the evidence has them all. */
const MAX_LISTED = 10;
/** A finding lies on an object of memory from this IoU on. */
const SAME_IOU = 0.4;
/** How far from the picture memory may have last seen the object, s. */
const AROUND_S = 0.5;

/** The tools over memory and recent video, by name. Deterministic for the same memory and video. */
export class ToolBox {
  readonly #options: ToolBoxOptions;

  constructor(options: ToolBoxOptions) {
    this.#options = options;
  }

  /** The tools that can be called. */
  get names(): readonly ToolName[] {
    return this.#options.video ? TOOL_NAMES : TOOL_NAMES.filter((name) => name !== 'look_again');
  }

  /**
   * Calls a tool with arguments that may come from anywhere. What is wrong with them, and what a tool cannot do, is told
   * in the result. Rejects with `interrupted` only.
   */
  async call(name: string, args: unknown, signal?: AbortSignal): Promise<ToolResult> {
    try {
      const known = this.names.find((one) => one === name);
      if (known === undefined)
        throw badRequest(`there is no tool "${name}": there are ${this.names.join(', ')}`);
      switch (known) {
        case 'timeline':
          return done(this.#timeline(read('timeline', args)));
        case 'search':
          return done(this.#search(read('search', args)));
        case 'relations':
          return done(this.#relations(read('relations', args)));
        case 'look_again': {
          const looks = await this.inspect(inspectionRequestOf(read('look_again', args)), signal);
          return done({ inspections: looks.map(briefInspection) }, looks);
        }
      }
    } catch (thrown) {
      const { code, message, retryable } = toPresageError(thrown);
      if (signal?.aborted === true) throw toPresageError(signal.reason, 'interrupted');
      const text = retryable ? `${message}; try again` : message;
      return { ok: false, error: { code, message: text } };
    }
  }

  /** Looks again and names what memory knows of it. @throws PresageError as `VideoInspector.look` */
  async inspect(request: InspectionRequest, signal?: AbortSignal): Promise<ReportedInspection[]> {
    const { video } = this.#options;
    if (!video) throw new PresageError('not_kept', 'No video of this stream is kept');
    const looks = await video.inspect(request, signal);
    return looks.map((look) => this.#named(look));
  }

  #timeline({ from, to, object, type }: z.infer<typeof TOOLS.timeline.schema>): object {
    const found = this.#options.queries.events({
      span: this.#span(from, to),
      ...(object !== undefined && { objects: [object] }),
      ...(type !== undefined && { types: [type] }),
    });
    return {
      events: found.slice(-MAX_EVENTS).map(({ event }) => briefEvent(event)),
      ...more(found, MAX_EVENTS),
    };
  }

  #search({ words, label, from, to }: z.infer<typeof TOOLS.search.schema>): object {
    const { queries } = this.#options;
    const span = this.#span(from, to);
    const hits =
      words === undefined
        ? queries.objects({ labels: [label ?? ''], span }).map((object): Hit => ({ score: 1, object }))
        : queries.search(words, Number.MAX_SAFE_INTEGER).filter((hit) => fitsHit(hit, label, span));
    return { hits: hits.slice(0, MAX_HITS).map(briefHit), ...more(hits, MAX_HITS) };
  }

  #relations({ object, from, to }: z.infer<typeof TOOLS.relations.schema>): object {
    const { queries } = this.#options;
    if (queries.objects({ ids: [object] }).length === 0)
      throw badRequest(`memory knows no object ${objectName(object)}`);
    const found = queries.relations({ object, span: this.#span(from, to) });
    const relations = found.slice(-MAX_RELATIONS).map(({ kind, a, b, from: start, to: end, open }) => ({
      text: `${objectName(a)} ${kind.replaceAll('-', ' ')} ${objectName(b)}`,
      from: tenths(start),
      ...(open ? {} : { to: tenths(end) }),
    }));
    return { relations, ...more(found, MAX_RELATIONS) };
  }

  #span(from = 0, to = Infinity): Span {
    return { from, to: Math.min(to, this.#options.now) };
  }

  #named(look: Inspection): ReportedInspection {
    const { t, region, found, more: rest, image } = look;
    const known = this.#options.queries
      .objects({ span: { from: t - AROUND_S, to: t + AROUND_S } })
      .flatMap((object) => {
        const box = boxAt(object.path, t);
        return box === undefined ? [] : [{ object, box }];
      });
    const taken = new Set<ObjectHistory>();
    return {
      t,
      region: [...region],
      // The surest finding on an object is it; another one there is something else.
      found: found.map((finding) => {
        const here = known.filter(({ object }) => !taken.has(object));
        const object = best(here, finding.box);
        if (object) taken.add(object);
        return reportable(finding, object?.id);
      }),
      more: rest,
      ...(image !== undefined && { image }),
    };
  }
}

function best(known: readonly { object: ObjectHistory; box: Box }[], box: Box): ObjectHistory | undefined {
  let found: ObjectHistory | undefined;
  let most = SAME_IOU;
  for (const one of known) {
    const overlap = iou(one.box, box);
    if (overlap >= most) [most, found] = [overlap, one.object];
  }
  return found;
}

function reportable(
  { label, score, box, origin, mask }: InspectionFinding,
  object: string | undefined,
): ReportedInspection['found'][number] {
  return {
    ...{ label, score, box: [...box], origin },
    ...(mask && { mask: { size: [...mask.size], counts: mask.counts } }),
    ...(object !== undefined && { object }),
  };
}

function read<N extends ToolName>(name: N, args: unknown): z.infer<(typeof TOOLS)[N]['schema']> {
  const parsed = TOOLS[name].schema.safeParse(args);
  if (parsed.success) return parsed.data as z.infer<(typeof TOOLS)[N]['schema']>;
  throw badRequest(`${name}: ${issueOf(parsed.error)}`);
}

/** What is wrong with arguments, in one line. */
function issueOf(error: z.ZodError): string {
  const [issue] = error.issues;
  const where = issue?.path.map(String).join('.') ?? '';
  return `${where === '' ? '' : `${where}: `}${issue?.message ?? 'makes no sense'}`;
}

function badRequest(message: string): PresageError {
  return new PresageError('bad_request', message);
}

function done(value: unknown, looks: readonly ReportedInspection[] = []): ToolResult {
  return { ok: true, value, inspections: looks };
}

function more(found: readonly unknown[], most: number): { more?: number } {
  return found.length > most ? { more: found.length - most } : {};
}

function fitsHit(hit: Hit, label: string | undefined, span: Span): boolean {
  if ('object' in hit) {
    const { object } = hit;
    return (
      (label === undefined || object.label === label) &&
      object.spans.some(({ from, to }) => from <= span.to && to >= span.from)
    );
  }
  if ('event' in hit) {
    const { t, participants } = hit.event.event;
    return (
      t >= span.from &&
      t <= span.to &&
      (label === undefined || participants.some((participant) => participant.label === label))
    );
  }
  return label === undefined && hit.episode.from <= span.to && hit.episode.to >= span.from;
}

function briefHit(hit: Hit): object {
  if ('event' in hit) return briefEvent(hit.event.event);
  if ('episode' in hit) return { from: tenths(hit.episode.from), text: hit.episode.text };
  const { object } = hit;
  return { object: objectPhrase(object), from: tenths(object.firstSeen), to: tenths(object.lastSeen) };
}

function briefEvent(event: ObservedEvent): object {
  return { id: event.id, t: tenths(event.t), text: clauseOf(event) };
}

function briefInspection({ t, found, more: rest }: ReportedInspection): object {
  return {
    t: tenths(t),
    found: found.slice(0, MAX_LISTED).map(({ label, score, box, object }) => ({
      what: object === undefined ? label : `${label} ${objectName(object)}`,
      score: Math.round(score * 100) / 100,
      box: box.map((value) => Math.round(value * 1000) / 1000),
    })),
    ...(found.length > MAX_LISTED || rest > 0 ? { more: Math.max(found.length - MAX_LISTED, 0) + rest } : {}),
  };
}

function tenths(t: number): number {
  return Math.round(t * 10) / 10;
}

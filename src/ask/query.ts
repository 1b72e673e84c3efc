import type { Span } from '../core/records/records.js';
import type { Deed } from './parser/lexicon.js';
import type { Region } from './regions.js';

/** Who is meant: named objects, or all of some labels; everything when neither is given. */
export interface Subject {
  readonly ids: readonly string[];
  readonly labels?: readonly string[];
}

export const ANY: Subject = { ids: [] };

/** Something that happens, or holds, between up to two subjects, perhaps at a zone or line. */
export interface Pattern {
  readonly deed: Deed;
  /** The words it was said in, for answers. */
  readonly said: string;
  /** Who does it; of types without roles either. */
  readonly a: Subject;
  /** To or with whom; absent when nobody was named. */
  readonly b?: Subject;
  readonly place?: string;
}

/** A part of the stream, with the words for it: `in the last 10 minutes`. */
export interface Period extends Span {
  readonly said: string;
}

/** An event that a time is told by: what was before, after, or at it. */
export interface Anchor {
  readonly side: 'before' | 'after' | 'at';
  readonly of: Pattern | { readonly event: string };
}

interface Timed {
  readonly period?: Period;
  readonly anchor?: Anchor;
}

/** What a question asks. Times are media seconds. */
export type Query = Timed &
  (
    | {
        readonly kind: 'when';
        readonly pattern: Pattern;
        readonly order: 'all' | 'first' | 'last';
        readonly ago: boolean;
      }
    | { readonly kind: 'whether'; readonly pattern: Pattern; readonly negated: boolean }
    | {
        readonly kind: 'who';
        readonly pattern: Pattern;
        /** Whom the answer names: those who did it, or those to whom it was done. */
        readonly asked: 'a' | 'b';
        readonly order: 'all' | 'first' | 'last';
        readonly negated: boolean;
      }
    | {
        readonly kind: 'count';
        readonly pattern: Pattern;
        readonly of: 'objects' | 'events';
        readonly negated: boolean;
      }
    | {
        readonly kind: 'present';
        readonly who: Subject;
        readonly place?: string;
        readonly as: 'list' | 'count' | 'whether';
      }
    | { readonly kind: 'where'; readonly who: Subject }
    | { readonly kind: 'where-event'; readonly pattern: Pattern }
    | { readonly kind: 'doings'; readonly who: Subject }
    | { readonly kind: 'happenings' }
    | { readonly kind: 'stay'; readonly who: Subject; readonly place?: string }
    | { readonly kind: 'lasting'; readonly pattern: Pattern }
    | { readonly kind: 'why'; readonly of: Pattern | { readonly event: string } }
    | { readonly kind: 'next'; readonly who: Subject; readonly pattern?: Pattern }
    | { readonly kind: 'alike'; readonly who: Subject }
    | { readonly kind: 'about'; readonly who: Subject; readonly event?: string }
  );

/** Asks what the picture shows, in a part of it or around something, at a time. */
export interface InspectionQuery {
  readonly kind: 'look';
  /** Named objects: around them; labels: only those. */
  readonly who: Subject;
  readonly place?: string;
  readonly event?: string;
  readonly region?: Region;
  readonly period?: Period;
}

/** Why a question was not understood, as a sentence. */
export interface Misunderstanding {
  readonly problem: string;
}

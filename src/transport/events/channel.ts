import type { OutgoingMessage } from '../messages/encode.js';
import { AttributeIndex } from './message-attributes.js';
import { passes, Thinning, type Filter } from './filter.js';
import { LogWindow, type LogReader } from './log-window.js';

/** A feed as its channel uses it. */
export interface ChannelMember {
  readonly filter: Filter;
  /** Passes a live message on. */
  offer(message: OutgoingMessage): void;
  /** Continues at this sequence after the log was replaced. */
  restart(sequence: number): void;
  /** Returns to replaying from the log. */
  fallBack(): void;
}

/** Feeds that are live with equal filters: what one gets, all get. */
interface Group {
  readonly filter: Filter;
  /** Durable messages before this sequence are not for them: they wait for one that is yet to come. */
  readonly notBefore: number;
  readonly thinning: Thinning;
  readonly members: Set<ChannelMember>;
}

/** One stream on its way to its subscribers. */
export class Channel {
  readonly streamId: string;
  readonly window: LogWindow;
  readonly #log: LogReader;
  readonly #book: AttributeIndex;
  readonly #groups = new Map<string, Group>();
  readonly #feeds = new Set<ChannelMember>();
  #next: number;

  /** @param next the sequence of the durable message that will be delivered next */
  constructor(streamId: string, log: LogReader, next: number) {
    this.streamId = streamId;
    this.#log = log;
    this.#next = next;
    this.window = new LogWindow(streamId, log);
    this.#book = new AttributeIndex((ref) => log.firstAbout?.(streamId, ref));
  }

  get next(): number {
    return this.#next;
  }

  get empty(): boolean {
    return this.#feeds.size === 0;
  }

  add(feed: ChannelMember): void {
    this.#feeds.add(feed);
  }

  remove(feed: ChannelMember): void {
    this.#feeds.delete(feed);
    this.leave(feed);
  }

  /** From now on the feed gets what is delivered, durable messages from `notBefore` on. */
  join(feed: ChannelMember, notBefore: number): void {
    const { filter } = feed;
    const key = notBefore > this.#next ? `${notBefore} ${filter.key}` : filter.key;
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = { filter, notBefore, thinning: new Thinning(filter), members: new Set() };
      this.#groups.set(key, group);
    }
    group.members.add(feed);
  }

  leave(feed: ChannelMember): void {
    for (const [key, group] of this.#groups) {
      if (group.members.delete(feed) && group.members.size === 0) this.#groups.delete(key);
    }
  }

  /** Never throws but for a defect, never waits. */
  deliver(message: OutgoingMessage): void {
    if (message.sequence !== undefined && !this.#advance(message.sequence)) return;
    this.window.add(message);
    for (const group of this.#groups.values()) {
      if (!this.#takes(group, message)) continue;
      for (const feed of group.members) feed.offer(message);
    }
  }

  passes(filter: Filter, message: OutgoingMessage): boolean {
    return passes(filter, message.kind, () => this.#book.attributesOf(message.value));
  }

  #takes(group: Group, message: OutgoingMessage): boolean {
    if (message.sequence !== undefined && message.sequence < group.notBefore) return false;
    if (!this.passes(group.filter, message)) return false;
    return message.kind !== 'objects.updated' || group.thinning.take(message.mediatime);
  }

  /** Whether this is the next durable message, and is to be delivered. */
  #advance(sequence: number): boolean {
    if (sequence === this.#next) {
      this.#next = sequence + 1;
      return true;
    }
    if (sequence < this.#next) {
      // Told already, unless the stream was deleted and has begun anew.
      if (this.#log.range(this.streamId).last >= this.#next - 1) return false;
      this.window.clear();
      for (const feed of this.#feeds) feed.restart(sequence);
    } else {
      // A gap cannot come from a sound publisher; should it, the log has what is missing.
      for (const feed of this.#feeds) feed.fallBack();
    }
    this.#next = sequence + 1;
    return false;
  }
}

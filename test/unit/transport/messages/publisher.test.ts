import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { VirtualClock } from '../../../../src/core/clock.js';
import { PresageError } from '../../../../src/core/errors.js';
import { DURABLE_KINDS, MESSAGE_KINDS, messageData, messageType } from '../../../../src/core/messages.js';
import type { LogAppend } from '../../../../src/transport/log/log-types.js';
import type { MessageSink, OutgoingMessage } from '../../../../src/transport/messages/encode.js';
import { Publisher, type PublisherLog } from '../../../../src/transport/messages/publisher.js';
import { eventDraft, objectsDraft, SAMPLE_DRAFTS, sampleDraft } from '../../../support/transport/drafts.js';

class CollectingSink implements MessageSink {
  readonly messages: OutgoingMessage[] = [];
  deliver(message: OutgoingMessage): void {
    this.messages.push(message);
  }
}

/** A log that makes durable only when told to. */
class FakeLog implements PublisherLog {
  readonly #waiting: (() => void)[] = [];
  #sequence = 0;
  append(_streamId: string, { kind, mediatime, render, onDurable }: LogAppend): number {
    const sequence = (this.#sequence += 1);
    const json = render(sequence);
    this.#waiting.push(() => onDurable?.({ sequence, kind, mediatime, json }));
    return sequence;
  }
  beginRun(): number {
    return 3;
  }
  flush(): void {
    for (const tell of this.#waiting.splice(0)) tell();
  }
}

const ids = (sink: CollectingSink): string[] =>
  sink.messages.map(({ json }) => (JSON.parse(json) as { id: string }).id);

const envelopeSchema = z.strictObject({
  specversion: z.literal('1.0'),
  id: z.string().min(1),
  source: z.literal('/streams/cam1'),
  type: z.string(),
  subject: z.string().optional(),
  time: z.iso.datetime(),
  datacontenttype: z.literal('application/json'),
  sequence: z
    .string()
    .regex(/^\d{10}$/)
    .optional(),
  mediatime: z.number(),
  data: z.unknown(),
});

describe('Publisher', () => {
  it('produces messages of every kind that their schemas accept', () => {
    const sink = new CollectingSink();
    new Publisher({ streamId: 'cam1', sinks: [sink], clock: new VirtualClock() }).publishAll(SAMPLE_DRAFTS);
    const kinds = sink.messages.map(({ kind }) => kind);
    expect(new Set([...kinds, 'lagged'])).toEqual(new Set(MESSAGE_KINDS));
    for (const { kind, json, sequence } of sink.messages) {
      const message = envelopeSchema.parse(JSON.parse(json));
      expect(message.type).toBe(messageType(kind));
      messageData[kind].parse(message.data);
      expect(sequence !== undefined, kind).toBe(DURABLE_KINDS.has(kind));
      expect(message.sequence !== undefined, kind).toBe(DURABLE_KINDS.has(kind));
    }
  });

  it('numbers durable messages from 1 and gives the others ids of their own', () => {
    const sink = new CollectingSink();
    const publisher = new Publisher({ streamId: 'cam1', sinks: [sink] });
    publisher.publishAll([eventDraft(1, 1), objectsDraft(1), eventDraft(2, 2), objectsDraft(2)]);
    expect(ids(sink)).toEqual(['cam1:1', 'cam1:~1', 'cam1:2', 'cam1:~2']);
  });

  it('gives the same bytes for the same drafts with stamp none', () => {
    const run = (): string[] => {
      const sink = new CollectingSink();
      new Publisher({ streamId: 'cam1', sinks: [sink], stamp: 'none' }).publishAll(SAMPLE_DRAFTS);
      return sink.messages.map(({ json }) => json);
    };
    expect(run()).toEqual(run());
    expect(run().join('')).not.toContain('"time"');
  });

  it('hands a durable message to its sinks only after the log has it', async () => {
    const sink = new CollectingSink();
    const publisher = new Publisher({ streamId: 'cam1', sinks: [sink], log: new FakeLog() });
    publisher.publishAll([eventDraft(1, 1), objectsDraft(1), eventDraft(2, 2)]);
    expect(ids(sink)).toEqual(['cam1:~3.1']);
    expect(publisher.stats().pending).toBe(2);
    await publisher.close();
    await publisher.close();
    expect(ids(sink)).toEqual(['cam1:~3.1', 'cam1:1', 'cam1:2']);
    expect(publisher.stats()).toEqual({ published: 3, durable: 2, pending: 0 });
  });

  it('keeps forecasts in the log where asked', () => {
    const sink = new CollectingSink();
    const durableKinds = new Set([...DURABLE_KINDS, 'forecast.updated' as const]);
    new Publisher({ streamId: 'cam1', sinks: [sink], durableKinds }).publish(sampleDraft('forecast.updated'));
    expect(sink.messages[0]?.sequence).toBe(1);
  });

  it('spends no sequence on a draft that cannot be written', () => {
    const sink = new CollectingSink();
    const publisher = new Publisher({ streamId: 'cam1', sinks: [sink] });
    expect(() => publisher.publish(eventDraft(1, Infinity))).toThrow(PresageError);
    publisher.publish(eventDraft(1, 1));
    expect(ids(sink)).toEqual(['cam1:1']);
  });

  it('waits for its sinks and passes on how they fail', async () => {
    const failure = new PresageError('output_failed', 'disk full');
    const sink: MessageSink = { deliver: () => undefined, drained: () => Promise.reject(failure) };
    await expect(new Publisher({ streamId: 'cam1', sinks: [sink] }).drained()).rejects.toBe(failure);
  });

  it.each(['', 'a b', '../etc', '~x', 'x'.repeat(65)])('refuses the stream id "%s"', (streamId) => {
    expect(() => new Publisher({ streamId })).toThrow(expect.objectContaining({ code: 'bad_option' }));
  });

  it('refuses to publish after close', async () => {
    const publisher = new Publisher({ streamId: 'cam1' });
    await publisher.close();
    expect(() => publisher.publish(eventDraft(1, 1))).toThrow(/closed/);
  });
});

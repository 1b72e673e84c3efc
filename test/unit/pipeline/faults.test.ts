/** Exceptions in what a stream publishes: they end that stream with the reason, not the process. */
import { describe, expect, it } from 'vitest';
import { PresageError } from '../../../src/core/errors.js';
import { pipelineWorld } from '../../support/pipeline-world.js';

describe('a stream whose messages cannot be published', () => {
  it('fails with the reason when the exception comes with a state of its source', async () => {
    const refused = new PresageError('storage_failed', 'the disk is full');
    let throws = false;
    const told: string[] = [];
    const world = pipelineWorld(
      {
        onDraft: (draft) => {
          if (throws) {
            throws = false;
            throw refused;
          }
          if (draft.kind === 'stream.state') told.push(`${draft.data.state}: ${draft.data.reason ?? ''}`);
        },
      },
      () => 1,
    );
    const ended = expect(world.running).rejects.toBe(refused);
    throws = true;
    world.disconnect();
    await ended;
    expect(told.at(-1)).toBe('failed: the disk is full');
  });
});

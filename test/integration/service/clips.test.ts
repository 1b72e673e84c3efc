import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { ClipRecorder } from '../../../src/service/clips/clip-recorder.js';
import { cutClip } from '../../../src/service/clips/cut-clip.js';
import { EncodedRing } from '../../../src/ingest/encoded/encoded-ring.js';
import { openSource } from '../../../src/ingest/open-source.js';
import { parseSource } from '../../../src/ingest/source-spec.js';
import { ClipStore } from '../../../src/transport/archive/clip-store.js';
import { DurableLog } from '../../../src/transport/log/durable-log.js';
import { allFrames, decodeLumas, psnr, seen, type SeenFrame } from '../../support/video/clips.js';
import { RtspServer, rtspUnavailable } from '../../support/video/rtsp-server.js';
import { eventDraft } from '../../support/transport/drafts.js';
import { tempFolder } from '../../support/transport/temp-folder.js';
import { ENCODER as ffmpeg, runFfmpeg } from '../../support/video/video.js';

const RETENTION = { maxAgeMs: 3_600_000, maxBytes: 1e8 };
const noRtsp = rtspUnavailable();
const fail = (error: Error): never => {
  throw error;
};

describe('ClipRecorder', () => {
  it('keeps the video around an event beyond the end of the process, and no other', async () => {
    const folder = tempFolder();
    const path = join(folder, 'video.mp4');
    const picture = ['-f', 'lavfi', '-i', 'testsrc2=s=160x120:r=10:d=20'];
    await runFfmpeg([...picture, '-c:v', 'libx264', '-g', '10', '-sc_threshold', '0', path]);
    const ring = new EncodedRing({ seconds: 60, maxBytes: 32e6 });
    let frames: SeenFrame[];
    {
      await using log = await DurableLog.open({ folder });
      const store = new ClipStore(log, { ...RETENTION, folder });
      const recorder = new ClipRecorder({ streamId: 'cam1', ring, store, onError: fail });
      await using source = openSource(parseSource(path), { ffmpeg, mode: 'lossless', encoded: ring });
      frames = await allFrames(source);
      recorder.add(eventDraft(1, 10)); // from 9.2 to 10
      await recorder.close();
      expect(recorder.stats()).toEqual({ stored: 1, dropped: { queue_full: 0, failed: 0 } });
    }
    expect(ring.stats().bytes).toBe(0);
    await using log = await DurableLog.open({ folder });
    const store = new ClipStore(log, { ...RETENTION, folder });
    expect(await store.tidy()).toBe(0);
    const recorder = new ClipRecorder({ streamId: 'cam1', ring, store, onError: fail });
    const kept = await recorder.between(0, 20);
    expect(kept[0]?.t).toBe(6);
    expect(kept.at(-1)?.t).toBe(13);
    const cut = cutClip(kept, 10, 9.5, 11);
    expect(cut).toMatchObject({ from: 9, to: expect.closeTo(11, 0) as number });
    const shown = await decodeLumas(cut?.matroska as Buffer, 160, 120);
    expect(psnr(shown[0] as Buffer, frames[90]?.luma as Buffer)).toBeGreaterThan(45);
    expect(cutClip(kept, 3, 2, 4)).toBeUndefined();
  });

  it('drops the oldest video when there is more than may be kept', async () => {
    const folder = tempFolder();
    await using log = await DurableLog.open({ folder });
    const store = new ClipStore(log, { ...RETENTION, maxBytes: 2500, folder });
    for (const t of [1, 2, 3]) await store.put('cam1', `r${t}`, t, Date.now() + t, new Uint8Array(1000));
    log.flush();
    log.sweep();
    expect(store.between('cam1', 0, 10).map(({ ref }) => ref)).toEqual(['r2', 'r3']);
  });
});

it.skipIf(noRtsp !== undefined)(
  `the ring goes on when the server of a camera is killed and comes back${noRtsp ? ` [skipped: ${noRtsp}]` : ''}`,
  async () => {
    const first = await RtspServer.start();
    const ring = new EncodedRing({ seconds: 60, maxBytes: 32e6 });
    await using source = openSource(parseSource(first.url()), {
      ...{ ffmpeg, mode: 'live', retryBaseMs: 50, retryMaxMs: 200, encoded: ring },
    });
    const times: number[] = [];
    source.frame$.subscribe((frame) => times.push(seen(frame).t));
    const runs = (): Set<string> => new Set(ring.between(0, 1e9).map(({ run }) => run));
    await vi.waitFor(() => expect(ring.between(0, 1e9).length).toBeGreaterThan(2), 20_000);
    await first.kill();
    await vi.waitFor(() => expect(ring.running).toBe(false), 10_000);
    const lost = times.at(-1) as number;
    await RtspServer.start({ port: first.port });
    await vi.waitFor(() => expect(runs().size).toBe(2), 20_000);
    await vi.waitFor(() => expect(ring.now).toBeGreaterThan(lost + 1), 20_000);
    const at = ring.now as number;
    const before = cutClip(ring.between(0, 1e9), lost, lost - 0.3, at);
    const after = cutClip(ring.between(0, 1e9), at, at - 0.3, at);
    expect(before?.to).toBeLessThanOrEqual(lost + 0.2);
    expect(after?.from).toBeGreaterThan(lost);
    expect(times).toContain(after?.from);
  },
);

import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { JsonlWriter } from '../../../src/transport/messages/jsonl-writer.js';
import { Publisher } from '../../../src/transport/messages/publisher.js';
import { objectsDraft, SAMPLE_DRAFTS } from '../../support/transport/drafts.js';
import { tempFolder } from '../../support/transport/temp-folder.js';

async function write(path: string): Promise<string> {
  const writer = await JsonlWriter.open(path);
  const publisher = new Publisher({ streamId: 'cam1', stamp: 'none', sinks: [writer] });
  publisher.publishAll(SAMPLE_DRAFTS);
  await publisher.close();
  await writer.finish();
  return readFileSync(path, 'utf8');
}

describe('JsonlWriter', () => {
  it('writes each message on a line, the same bytes each time with stamp none', async () => {
    const folder = tempFolder();
    const text = await write(join(folder, 'a.jsonl'));
    expect(await write(join(folder, 'b.jsonl'))).toBe(text);
    const lines = text.trimEnd().split('\n');
    expect(lines).toHaveLength(SAMPLE_DRAFTS.length);
    for (const line of lines) {
      expect(JSON.parse(line)).not.toHaveProperty('time');
      expect(line).not.toContain('"ms"');
    }
    expect(readdirSync(folder)).toEqual(['a.jsonl', 'b.jsonl']);
  });

  it('shows the file only when it is finished and replaces an older one then', async () => {
    const path = join(tempFolder(), 'out.jsonl');
    writeFileSync(path, 'old');
    const writer = await JsonlWriter.open(path);
    new Publisher({ streamId: 'cam1', sinks: [writer] }).publish(objectsDraft(1));
    expect(readFileSync(path, 'utf8')).toBe('old');
    expect(existsSync(`${path}.partial`)).toBe(true);
    await writer.finish();
    await writer.finish();
    await writer.abort();
    expect(readFileSync(path, 'utf8')).toContain('presage.objects.updated.v1');
    expect(existsSync(`${path}.partial`)).toBe(false);
  });

  it('leaves nothing behind when it is aborted or only disposed', async () => {
    const folder = tempFolder();
    {
      await using writer = await JsonlWriter.open(join(folder, 'out.jsonl'));
      new Publisher({ streamId: 'cam1', sinks: [writer] }).publish(objectsDraft(1));
    }
    const aborted = await JsonlWriter.open(join(folder, 'out.jsonl'));
    await aborted.abort();
    await aborted.abort();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('holds its publisher back while the disk is behind', async () => {
    const path = join(tempFolder(), 'out.jsonl');
    const writer = await JsonlWriter.open(path);
    const publisher = new Publisher({ streamId: 'cam1', sinks: [writer] });
    for (let frame = 0; frame < 400; frame += 1) publisher.publish(objectsDraft(frame, 40));
    let drained = false;
    const waiting = publisher.drained().then(() => (drained = true));
    await Promise.resolve();
    await Promise.resolve();
    expect(drained).toBe(false);
    await waiting;
    await writer.finish();
    expect(writer.lines).toBe(400);
    expect(readFileSync(path, 'utf8').trimEnd().split('\n')).toHaveLength(400);
  });

  it('writes through a symbolic link', async () => {
    const folder = tempFolder();
    writeFileSync(join(folder, 'real.jsonl'), '');
    symlinkSync(join(folder, 'real.jsonl'), join(folder, 'link.jsonl'));
    const text = await write(join(folder, 'link.jsonl'));
    expect(readFileSync(join(folder, 'real.jsonl'), 'utf8')).toBe(text);
  });

  it('says output_failed, and what to do, for a folder that does not exist', async () => {
    await expect(JsonlWriter.open(join(tempFolder(), 'none', 'out.jsonl'))).rejects.toMatchObject({
      code: 'output_failed',
      hint: 'Create the folder first.',
    });
  });

  it('says output_failed for a folder in place of a file', async () => {
    const path = join(tempFolder(), 'out.jsonl');
    mkdirSync(path);
    await expect(JsonlWriter.open(path)).rejects.toMatchObject({ code: 'output_failed' });
  });

  it('says output_failed from drained and finish when the device is full', async () => {
    const writer = await JsonlWriter.open('/dev/full');
    const publisher = new Publisher({ streamId: 'cam1', sinks: [writer] });
    for (let frame = 0; frame < 400; frame += 1) publisher.publish(objectsDraft(frame, 40));
    const expected = { code: 'output_failed', hint: expect.stringContaining('disk space') as string };
    await expect(publisher.drained()).rejects.toMatchObject(expected);
    await expect(writer.finish()).rejects.toMatchObject(expected);
    expect(existsSync('/dev/full')).toBe(true);
  });
});

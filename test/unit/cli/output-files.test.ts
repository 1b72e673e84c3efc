import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { checkOutputFiles } from '../../../src/cli/output-files.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'presage-outputs-'));
});
afterAll(() => rm(folder, { recursive: true }));

it('says that a folder is missing', async () => {
  await expect(checkOutputFiles([join(folder, 'no', 'a.html')], 'in.mp4')).rejects.toMatchObject({
    code: 'output_failed',
    message: expect.stringContaining('there is no folder') as string,
  });
});

it('says what is wrong with a folder that cannot be looked at', async () => {
  const long = join(folder, 'x'.repeat(300), 'a.html'); // no file system takes a name this long
  await expect(checkOutputFiles([long], 'in.mp4')).rejects.toMatchObject({
    code: 'output_failed',
    message: expect.stringContaining('ENAMETOOLONG') as string,
  });
});

it('refuses two outputs that name one file in two ways', async () => {
  await mkdir(join(folder, 'real'));
  const [a, b] = [join(folder, 'real', 'a.html'), join(folder, 'real', '.', 'a.html')];
  await expect(checkOutputFiles([a, b], 'in.mp4')).rejects.toMatchObject({ code: 'bad_option' });
});

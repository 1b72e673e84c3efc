import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Folder of the package: the parent of `src/` or `dist/`. */
const packageFolder = fileURLToPath(new URL('../../', import.meta.url));

export const version = (
  JSON.parse(readFileSync(`${packageFolder}package.json`, 'utf8')) as { version: string }
).version;

/** The recording that comes with presage and plays when no source is given. */
export const sampleVideo = `${packageFolder}examples/pedestrians.mp4`;
/** The built page. */
export const dashboardFolder = `${packageFolder}dist/demo`;
export const modelsFolder = `${packageFolder}models`;

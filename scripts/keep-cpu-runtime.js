// Runs as `preinstall` where presage is installed as a package, before the install scripts of its dependencies.
//
// On Linux x64 the install script of onnxruntime-node downloads the CUDA libraries (about 300 MB) from outside the registry and
// fails without a connection, which fails the whole installation. The script downloads nothing when the libraries exist, so empty
// files stand in for them until they are requested: `ONNXRUNTIME_NODE_INSTALL=cuda12 npm rebuild onnxruntime-node` replaces them.
import { existsSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const LIBRARIES = ['shared', 'cuda', 'tensorrt'].map((name) => `libonnxruntime_providers_${name}.so`);

const flag = process.env.ONNXRUNTIME_NODE_INSTALL ?? process.env.npm_config_onnxruntime_node_install;
if (process.platform === 'linux' && process.arch === 'x64' && flag === undefined) keepCpuRuntime();

function keepCpuRuntime() {
  let runtime;
  try {
    runtime = dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
  } catch {
    // In a clone, `npm ci` runs this before there are dependencies; package.json disables their script there.
    return;
  }
  const folder = join(runtime, 'bin', 'napi-v6', 'linux', 'x64');
  if (!existsSync(folder)) return;
  for (const library of LIBRARIES)
    if (!existsSync(join(folder, library))) writeFileSync(join(folder, library), '');
}

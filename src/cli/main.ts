#!/usr/bin/env node
import { runCli } from './cli.js';
import { guardOutputs } from './guard-outputs.js';

guardOutputs();
const code = await runCli(process.argv.slice(2));
// What has failed on the way, such as a need that `doctor` found missing, has set it already.
if (code !== 0) process.exitCode = code;

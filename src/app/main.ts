#!/usr/bin/env node
import { runCli } from './cli.js';

const code = await runCli(process.argv.slice(2));
// `doctor` has said 1 itself when it found something to mend.
if (code !== 0) process.exitCode = code;

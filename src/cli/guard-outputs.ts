/**
 * Keeps a standard output that can't be written from ending the process with a stack trace. That its reader has gone
 * (`| head`) is no error; anything else, such as a full disk, is reported once and makes the exit code 1.
 */
export function guardOutputs(): void {
  let reported = false;
  for (const output of [process.stdout, process.stderr]) {
    output.on('error', (error: NodeJS.ErrnoException) => {
      if (reported || error.code === 'EPIPE') return;
      reported = true;
      process.exitCode = 1;
      process.stderr.write(`presage: cannot write the output: ${error.message}\n`);
    });
  }
}

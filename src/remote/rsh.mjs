// For rsync's --rsh: runs the given ssh, and takes whatever it brings however slowly rsync reads it. On a shared connection
// ssh ends only once all of that is read, and closes its standard input no sooner. So where rsync there has ended, as its
// disk is full, the one here, which writes before it reads on, would wait for ever.
import { spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { Socket } from 'node:net';

const [program = '', ...args] = process.argv.slice(2);
const [fromRsync, toRsync] = [0, 1].map((fd) => new Socket({ fd, readable: fd === 0, writable: fd === 1 }));
const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });

fromRsync.pipe(child.stdin);
child.stdout.on('data', (chunk) => toRsync.write(chunk)); // never waits, unlike a pipe
child.on('error', () => process.exit(127));
child.on('close', (code) => {
  fromRsync.destroy();
  closeSync(0); // which Node leaves open: tells rsync, which then reads to the end
  toRsync.end();
  process.exitCode = code ?? 255;
});
for (const stream of [fromRsync, toRsync, child.stdin]) stream.on('error', () => undefined);
process.on('SIGUSR1', () => child.kill()); // rsync's way to end whom it has started

import { once } from 'node:events';
import { Command } from 'commander';
import { openGate } from '../src/app/gate.ts';
import { main } from '../src/cli/main.ts';

await main(
  new Command('npm run gate --')
    .description(
      'Says yes or no to each request, until it is told to stop (SIGTERM): the stack’s part of that name.',
    )
    .action(async () => {
      const log = (line: string) => process.stdout.write(`${new Date().toISOString()} ${line}\n`);
      const gate = await openGate(log);
      log('open');
      await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
      await gate.close();
      log('closed');
    }),
);

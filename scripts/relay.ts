import { once } from 'node:events';
import { Command } from 'commander';
import { openRelay } from '../src/app/relay.ts';
import { main } from '../src/cli/main.ts';

await main(
  new Command('npm run relay --')
    .description(
      'Fetches for the mirror what it lacks, and keeps its cache within bounds, until it is told to stop (SIGTERM).',
    )
    .action(async () => {
      const log = (line: string) => process.stdout.write(`${new Date().toISOString()} ${line}\n`);
      const relay = await openRelay(log);
      log('open');
      await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
      await relay.close();
      log('closed');
    }),
);

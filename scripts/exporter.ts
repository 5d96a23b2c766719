import { once } from 'node:events';
import { Command } from 'commander';
import { openExporter } from '../src/app/exporter.ts';
import { main } from '../src/cli/main.ts';

await main(
  new Command('npm run exporter --')
    .description(
      'Tells Prometheus what all parts have counted, until it is told to stop (SIGTERM): the stack’s part of that name.',
    )
    .action(async () => {
      const log = (line: string) => process.stdout.write(`${new Date().toISOString()} ${line}\n`);
      const exporter = await openExporter(log);
      log('open');
      await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
      await exporter.close();
      log('closed');
    }),
);

import { Command } from 'commander';
import { openApp, renewalParts } from '../src/app/app.ts';
import { assess, ensureCertificate, rehearse } from '../src/certificates/renewal.ts';
import { main } from '../src/cli/main.ts';
import { forceWarning, renewalReport } from '../src/cli/renewal-report.ts';
import { Story } from '../src/cli/story.ts';
import { Terminal } from '../src/cli/terminal.ts';
import { connect } from '../src/engine/connect.ts';
import { loadSettings } from '../src/settings/load.ts';
import { expectOwnState } from '../src/stack/folders.ts';
import { changed } from '../src/step.ts';

interface Options {
  readonly dryRun: boolean;
  readonly force: boolean;
  readonly json: boolean;
}

await main(
  new Command('npm run renew --')
    .description('Renews the certificate if it is due, and says why or why not.')
    .option('--dry-run', 'go the whole way without touching what is served or a public CA’s quota', false)
    .option('--force', 'renew even if it is not due; public CAs count this against your limits', false)
    .option('--json', 'print the result as JSON', false)
    .action(renew),
);

async function renew({ dryRun, force, json }: Options): Promise<void> {
  const app = openApp();
  await expectOwnState(app.paths);
  const settings = await loadSettings(app.paths, app.environment);
  const parts = renewalParts(app, settings, connect(app.environment.DOCKER_HOST));
  const terminal = new Terminal(json ? process.stderr : process.stdout);
  const story = new Story(terminal, app.clock);

  const outlook = await assess(parts, (detail) => terminal.line(`· ${detail}`));
  const entries = await parts.ledger.read();
  const warning = force && !dryRun ? [forceWarning(entries, parts)] : [];
  terminal.table([...renewalReport(outlook, entries, parts, force || dryRun), ...warning]);

  const rehearsal = dryRun
    ? await story.step('Rehearsal', async (detail) => {
        const told = await rehearse(parts, detail);
        return changed(`${told}; what is served was not touched`, told);
      })
    : undefined;
  const generation = dryRun
    ? undefined
    : await story.step('Certificate', (detail) => ensureCertificate(parts, { force }, detail));
  if (json) {
    const result = { ...outlook, rehearsal, changed: !dryRun && story.changed, generation };
    process.stdout.write(`${JSON.stringify(result, withoutChains, 2)}\n`);
  }
}

/** The chain is in a file; a person or a program wants the facts of it. */
function withoutChains(name: string, value: unknown): unknown {
  return name === 'chain' ? undefined : value;
}

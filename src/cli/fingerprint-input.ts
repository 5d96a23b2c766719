import confirm from '@inquirer/confirm';
import type { Terminal } from './terminal.ts';

/** Has a person compare a fingerprint. Where nobody can, nobody has. */
export function askFingerprint(
  terminal: Terminal,
  registry: string,
): (fingerprint: string) => Promise<boolean> {
  return async (fingerprint) => {
    if (!terminal.interactive) return false;
    return terminal.undisturbed(() => {
      terminal.paragraph(`${registry} offers a CA that nobody vouches for. Its SHA-256 fingerprint:`);
      for (const half of halves(fingerprint)) terminal.line(`  ${terminal.style('bold', half)}`);
      terminal.paragraph('`npm run trust -- --print` on the registry’s machine shows the right one.');
      return confirm({ message: 'Is it the same?', default: false });
    });
  };
}

/** Read side by side with another: the whole is wider than a screen of 80 columns. */
function halves(fingerprint: string): readonly string[] {
  const middle = fingerprint.indexOf(':', fingerprint.length / 2) + 1;
  return [fingerprint.slice(0, middle), fingerprint.slice(middle)];
}

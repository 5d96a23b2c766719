/** One word for a POSIX shell, whatever is in it (XCU section 2.2.2). */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** A command line for a POSIX shell. */
export function commandLine(words: readonly string[]): string {
  return words.map(quoted).join(' ');
}

/**
 * The same line for whatever shell somebody logs in with: csh knows no line breaks within quotes and takes `!` for its history,
 * fish goes by backslashes within quotes.
 */
export function forAnyShell(line: string): string {
  if (!/[\n!\\]/.test(line)) return line;
  return `sh -c 'eval "$(echo "$0" | base64 -d)"' ${Buffer.from(line).toString('base64')}`;
}

/** The user that init-tls makes for a moment to prove the registry with a push and a pull, and the one place it may use. */
export const PROVER = 'moorage-proof';
export const PROOF_REPOSITORY = 'moorage/proof';

/** The user that `npm run gc` makes for a moment to see whether every image is whole: it may pull, everywhere. */
export const CHECKER = 'moorage-check';

/** Users that come and go with a command of ours: nobody's. */
export function isTemporary(name: string): boolean {
  return name === PROVER || name === CHECKER;
}

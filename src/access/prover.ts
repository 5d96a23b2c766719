/** The user that init-tls makes for a moment to prove the registry with a push and a pull, and the one place it may use. */
export const PROVER = 'moorage-proof';
export const PROOF_REPOSITORY = 'moorage/proof';

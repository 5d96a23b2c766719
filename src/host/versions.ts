/** package.json, `engines`. */
export const LEAST_NODE = '20.12.0';
/** Engine API 1.41, with which everything here is tested. */
export const LEAST_ENGINE = '20.10.0';
/** The first that knows `include`, by which compose.yaml is put together. */
export const LEAST_COMPOSE = '2.20.0';

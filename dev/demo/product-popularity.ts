/** What the shop's pages read. A product stays in it, with zeros, when nobody looks at it any more. */
export const productPopularity = `
  CREATE TABLE IF NOT EXISTS product_popularity (
    product_id bigint PRIMARY KEY,
    views bigint NOT NULL,
    purchases bigint NOT NULL,
    window_start timestamptz NOT NULL,
    window_end timestamptz NOT NULL
  )`;

/** The table that the shop's pages read. A product without recent views stays in it, with zeros. */
export const productPopularity = `
  CREATE TABLE IF NOT EXISTS product_popularity (
    product_id bigint PRIMARY KEY,
    views bigint NOT NULL,
    purchases bigint NOT NULL,
    window_start timestamptz NOT NULL,
    window_end timestamptz NOT NULL
  )`;

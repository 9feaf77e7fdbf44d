/** The shop's sales. */
export const sales = `
  CREATE TABLE IF NOT EXISTS sales (
    sale_id bigint PRIMARY KEY,
    product_id int NOT NULL,
    region text NOT NULL,
    quantity int NOT NULL,
    total numeric(12, 2) NOT NULL,
    sold_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
  )`;

/** The warehouse's copy of the sales. */
export const factSales = sales.replace('EXISTS sales', 'EXISTS fact_sales');

/** The sales of the day $1, 4,000 rows: every product sells, some much more than others. */
const ROWS = `
  SELECT
    ($1::date - date '2020-01-01')::bigint * 100000 + i AS sale_id,
    1 + (200 * power((i * 7919 % 4000) / 4000.0, 3))::int AS product_id,
    (ARRAY['EMEA', 'Americas', 'APAC'])[1 + i % 3] AS region,
    1 + i % 4 AS quantity,
    (1 + i % 4) * ((i * 37 % 9000) + 99)::numeric / 100 AS total,
    day.begin + (i - 1) * interval '21.6 seconds' AS sold_at,
    day.begin + (i - 1) * interval '21.6 seconds' AS updated_at
  FROM (SELECT $1::date::timestamp AT TIME ZONE 'UTC' AS begin) AS day, generate_series(1, 4000) AS i`;

/** Fills the shop's table with the sales of the day $1, unless it already has them. */
export const fillSales = `INSERT INTO sales ${ROWS} ON CONFLICT DO NOTHING`;

/**
 * Fills the warehouse's table like a faulty loader: of the day's 4,000 sales, 8 are missing and 4 have lost their cents, so that 0.3 %
 * differ.
 */
export const fillFactSales = `
  INSERT INTO fact_sales
  SELECT sale_id, product_id, region, quantity, CASE WHEN sale_id % 1000 = 321 THEN trunc(total) ELSE total END, sold_at, updated_at
  FROM (${ROWS}) AS sold
  WHERE sale_id % 500 <> 123 AND NOT EXISTS (
    SELECT FROM fact_sales WHERE sold_at >= $1::date::timestamp AT TIME ZONE 'UTC' AND sold_at < ($1::date + 1)::timestamp AT TIME ZONE 'UTC'
  )`;

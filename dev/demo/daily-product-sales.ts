export const dailyProductSales = `
  CREATE TABLE IF NOT EXISTS daily_product_sales (
    sale_date date,
    product_id int,
    region text,
    orders bigint NOT NULL,
    quantity bigint NOT NULL,
    revenue numeric(14,2) NOT NULL,
    revenue_share numeric(9,6),
    region_rank int NOT NULL,
    PRIMARY KEY (sale_date, product_id, region)
  )`;

/** The expected rows of daily_product_sales for the day $1, computed from sales without Sluice or Spark. */
export const expectedDailySales = `
  SELECT
    $1::date AS sale_date, product_id, region, count(*) AS orders, sum(quantity) AS quantity, sum(total)::numeric(14,2) AS revenue,
    round(greatest(sum(total), 0) / nullif(sum(greatest(sum(total), 0)) OVER (), 0), 6)::numeric(9,6) AS revenue_share,
    rank() OVER (PARTITION BY region ORDER BY sum(total) DESC)::int AS region_rank
  FROM sales
  WHERE (sold_at AT TIME ZONE 'UTC')::date = $1
  GROUP BY product_id, region
  ORDER BY product_id, region`;

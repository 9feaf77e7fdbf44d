"""sales to daily_product_sales: what each product sold in each region on each day.

- A day is one of UTC.
- revenue_share is the part of what the products took that took more than they gave back: between 0 and 1, also on a day with many refunds; NULL on
  a day without any.
- region_rank is among the products of a region on a day, by revenue from the highest. Those of the same revenue share a rank, and as many are
  left out after it: 1, 2, 2, 4.
"""

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from sluice_job import parse_arguments, read_dataset, session, write_dataset


def transform(sales: DataFrame) -> DataFrame:
    """One row for each day, product and region that has sales, the best of each region first."""
    sold = sales.groupBy(F.to_date("sold_at").alias("sale_date"), "product_id", "region").agg(
        F.count("*").alias("orders"),
        F.sum("quantity").alias("quantity"),
        F.sum("total").alias("revenue"),
    )
    taken = F.greatest(F.col("revenue"), F.lit(0))
    taken_on_day = F.sum(taken).over(Window.partitionBy("sale_date"))
    best_of_region = Window.partitionBy("sale_date", "region").orderBy(F.desc("revenue"))
    return sold.select(
        "sale_date",
        "product_id",
        "region",
        "orders",
        "quantity",
        "revenue",
        F.when(taken_on_day > 0, F.round(taken / taken_on_day, 6)).alias("revenue_share"),
        F.rank().over(best_of_region).alias("region_rank"),
    ).sort("sale_date", "region", "region_rank", "product_id")


def main() -> None:
    arguments = parse_arguments()
    spark = session()
    write_dataset(transform(read_dataset(spark, arguments.input)), arguments.output)
    spark.stop()


if __name__ == "__main__":
    main()

"""What users did with products to a model that says which products they will like: ALS on implicit feedback.

Reads user_id, product_id and event_type; leaves Spark's ALSModel, and in metrics.json how much it was trained on.
Parameters: rank, iterations, regularization.
"""

from pyspark.ml.recommendation import ALS
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sluice_job import parse_arguments, read_dataset, session, write_metrics

# How much more an act says about a taste than a glance does.
STRENGTH = {"product_view": 1.0, "add_to_cart": 3.0, "purchase": 5.0}
# One seed: the same data and parameters give the same model.
SEED = 42


def strengths(events: DataFrame) -> DataFrame:
    """How strongly each user is drawn to each product."""
    strength = F.lit(0.0)
    for event_type, value in STRENGTH.items():
        strength = F.when(F.col("event_type") == event_type, F.lit(value)).otherwise(strength)
    return (
        events.select(F.col("user_id").cast("int"), F.col("product_id").cast("int"), strength.alias("strength"))
        .groupBy("user_id", "product_id")
        .agg(F.sum("strength").alias("strength"))
        .filter("strength > 0")
    )


def main() -> None:
    arguments = parse_arguments()
    spark = session()
    data = strengths(read_dataset(spark, arguments.input)).persist()
    # Without it each iteration adds to how a lost part would be computed anew, until that no longer fits on the stack. Sluice deletes
    # what begins with an underscore.
    spark.sparkContext.setCheckpointDir(f"{arguments.output}_checkpoints")
    model = ALS(
        userCol="user_id",
        itemCol="product_id",
        ratingCol="strength",
        implicitPrefs=True,
        rank=int(arguments.params.get("rank", 16)),
        maxIter=int(arguments.params.get("iterations", 10)),
        regParam=float(arguments.params.get("regularization", 0.1)),
        seed=SEED,
        checkpointInterval=3,
    ).fit(data)
    model.write().overwrite().save(f"{arguments.output}als")
    counts = data.select(F.count("*"), F.count_distinct("user_id"), F.count_distinct("product_id")).first()
    write_metrics(spark, arguments.output, {"pairs": counts[0], "users": counts[1], "products": counts[2]})
    spark.stop()


if __name__ == "__main__":
    main()

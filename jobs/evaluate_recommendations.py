"""How well models foresee what users did later: NDCG and recall of their first ten recommendations.

Reads user_id and product_id of events that no model has seen; the parameters `model` and `champion` say where the models are.
A user whom a model does not know gets no recommendation of it, and counts as a miss.
"""

from typing import Dict

from pyspark.ml.evaluation import RankingEvaluator
from pyspark.ml.recommendation import ALSModel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sluice_job import parse_arguments, read_dataset, session, write_metrics

FIRST = 10


def measure(model: ALSModel, liked: DataFrame) -> Dict[str, float]:
    recommended = model.recommendForUserSubset(liked.select("user_id"), FIRST).select(
        "user_id", F.transform("recommendations.product_id", lambda product: product.cast("double")).alias("prediction")
    )
    nothing = F.array().cast("array<double>")
    both = liked.join(recommended, "user_id", "left").withColumn("prediction", F.coalesce("prediction", nothing)).persist()
    return {
        f"{name}_at_{FIRST}": RankingEvaluator(metricName=f"{name}AtK", k=FIRST, predictionCol="prediction", labelCol="label").evaluate(both)
        for name in ("ndcg", "recall")
    }


def main() -> None:
    arguments = parse_arguments()
    spark = session()
    events = read_dataset(spark, arguments.input)
    liked = (
        events.select(F.col("user_id").cast("int"), F.col("product_id").cast("double"))
        .groupBy("user_id")
        .agg(F.collect_set("product_id").alias("label"))
        .persist()
    )
    if liked.isEmpty():
        raise ValueError(f"{arguments.input} has no events: nothing can be measured with it")
    found = {"metrics": measure(ALSModel.load(f"{arguments.params['model']}als"), liked)}
    if "champion" in arguments.params:
        found["champion"] = measure(ALSModel.load(f"{arguments.params['champion']}als"), liked)
    write_metrics(spark, arguments.output, found)
    spark.stop()


if __name__ == "__main__":
    main()

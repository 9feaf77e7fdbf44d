"""product_categories to dim_product_categories: each category with its root, its level (a root's is 1) and its path "Root > Child".

Data that is not a tree is no reason to fail:
- An orphan, whose parent is not in the data, is a root. It keeps its parent_category_id: a parent on level 1 is the mark of an orphan.
- A cycle is cut at its smallest category_id, which becomes a root in the same way.
Both are counted in the log. The rows depend on the data alone, not on how Spark has spread them.
"""

from typing import Tuple

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sluice_job import parse_arguments, read_dataset, session, write_dataset

SEPARATOR = " > "


def transform(categories: DataFrame) -> DataFrame:
    """The dimension, one row for each category, in the order of the ids."""
    # Each step of a climb refers to the one before it twice; without this, planning takes longer than the work.
    categories.sparkSession.conf.set("spark.sql.constraintPropagation.enabled", "false")
    categories = categories.persist()
    ids = categories.select(F.col("category_id").alias("parent_category_id"), F.lit(True).alias("known"))
    tree = categories.join(ids, "parent_category_id", "left").select(
        "category_id",
        F.when(F.col("known"), F.col("parent_category_id")).alias("parent"),
        F.col("category_name").alias("name"),
    )
    placed, circling = climb(tree)
    if circling:
        endless = placed.filter("ancestor is not null")
        cuts = cycle_heads(endless, circling).withColumn("cut", F.lit(True))
        cut_tree = endless.join(cuts, "category_id", "left").select(
            "category_id", F.when(F.col("cut").isNull(), F.col("parent")).alias("parent"), "name"
        )
        placed = placed.filter("ancestor is null").union(climb(cut_tree)[0])
    return (
        categories.join(placed.select("category_id", "root_category_id", "category_path", "category_level"), "category_id")
        .select(
            "category_id",
            "category_name",
            "description",
            "parent_category_id",
            "root_category_id",
            "category_path",
            "category_level",
            "commission_rate",
            "is_active",
            "updated_at",
        )
        .sort("category_id")
    )


def climb(tree: DataFrame) -> Tuple[DataFrame, int]:
    """Climbs from each category to its root, twice as far with each step. Answers also how many never arrive: those on or below a cycle."""
    # A category's path goes up to below `ancestor`, from where the climb goes on; `smallest` is the smallest id on it.
    at = tree.select(
        "category_id",
        "parent",
        "name",
        F.col("parent").alias("ancestor"),
        F.col("category_id").alias("smallest"),
        F.col("category_id").alias("root_category_id"),
        F.col("name").alias("category_path"),
        F.lit(1).alias("category_level"),
    ).localCheckpoint(eager=False)
    before, under_way = -1, under_way_in(at)
    # In a tree some arrive with every step: those whose root is next. When nobody does, all who are left go in circles.
    while under_way not in (0, before):
        above = at.select(
            F.col("category_id").alias("ancestor"),
            F.col("ancestor").alias("next"),
            F.col("smallest").alias("smallest_above"),
            F.col("root_category_id").alias("root_above"),
            F.col("category_path").alias("path_above"),
            F.col("category_level").alias("level_above"),
        )
        at = (
            at.join(above, "ancestor", "left")
            .select(
                "category_id",
                "parent",
                "name",
                F.col("next").alias("ancestor"),
                F.least("smallest", "smallest_above").alias("smallest"),
                F.coalesce("root_above", "root_category_id").alias("root_category_id"),
                F.concat(F.coalesce(F.concat("path_above", F.lit(SEPARATOR)), F.lit("")), "category_path").alias("category_path"),
                (F.col("category_level") + F.coalesce("level_above", F.lit(0))).alias("category_level"),
            )
            .localCheckpoint(eager=False)
        )
        before, under_way = under_way, under_way_in(at)
    return at, under_way


def under_way_in(at: DataFrame) -> int:
    return at.select(F.count("ancestor")).first()[0]


def cycle_heads(endless: DataFrame, count: int) -> DataFrame:
    """The smallest category_id of each cycle, given where a climb has come to for all categories on or below one."""
    # Going on, fewer and fewer are arrived at, until it is those on cycles and stays so. Ids only: a path around a cycle has no end.
    at = endless.select("category_id", "ancestor", "smallest").localCheckpoint(eager=False)
    before, arrived_at = count + 1, arrived_in(at)
    steps = 1
    while arrived_at != before or steps < arrived_at:
        above = at.select(F.col("category_id").alias("ancestor"), F.col("ancestor").alias("next"), F.col("smallest").alias("smallest_above"))
        at = (
            at.join(above, "ancestor")
            .select("category_id", F.col("next").alias("ancestor"), F.least("smallest", "smallest_above").alias("smallest"))
            .localCheckpoint(eager=False)
        )
        steps *= 2
        before, arrived_at = arrived_at, arrived_in(at)
    on_cycle = at.select(F.col("ancestor").alias("category_id")).distinct()
    return at.join(on_cycle, "category_id").filter("category_id = smallest").select("category_id")


def arrived_in(at: DataFrame) -> int:
    return at.select(F.count_distinct("ancestor")).first()[0]


def report(dimension: DataFrame) -> None:
    """Says in the log what was not a tree."""
    odd = dimension.filter("category_level = 1 and parent_category_id is not null").count()
    if odd:
        print(f"{odd} categories have a parent that is missing or that leads back to them: they are roots here")


def main() -> None:
    arguments = parse_arguments()
    spark = session()
    dimension = transform(read_dataset(spark, arguments.input))
    write_dataset(dimension, arguments.output)
    report(dimension)
    spark.stop()


if __name__ == "__main__":
    main()

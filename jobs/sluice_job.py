"""What a Spark job needs of Sluice: its arguments, the data set it reads, and the data set it writes.

    from sluice_job import parse_arguments, read_dataset, session, write_dataset

    arguments = parse_arguments()
    spark = session()
    categories = read_dataset(spark, arguments.input)
    write_dataset(categories.filter("is_active"), arguments.output)

NULL and the empty string stay different, and text keeps every quote, line break and space, on the way in and on the way out.
"""

import argparse
import json
import os
import re
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import Dict, List, Optional

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

SCHEMA_NAME = "_schema.json"
MANIFEST_NAME = "manifest.json"
METRICS_NAME = "metrics.json"

# PostgreSQL's CSV: quotes are doubled, an empty field is NULL, a quoted empty field is the empty string.
_CSV = {
    "header": False,
    "sep": ",",
    "quote": '"',
    "escape": '"',
    "lineSep": "\n",
    "encoding": "UTF-8",
    "ignoreLeadingWhiteSpace": False,
    "ignoreTrailingWhiteSpace": False,
}
# On reading, Spark takes whatever equals `nullValue` for NULL, quoted or not. PostgreSQL's text cannot hold this character.
_CSV_READ = {**_CSV, "multiLine": True, "nullValue": "\u0000", "emptyValue": "", "mode": "FAILFAST", "maxCharsPerColumn": -1}
_CSV_WRITE = {
    **_CSV,
    "nullValue": "",
    "emptyValue": '""',
    "compression": "gzip",
    "dateFormat": "yyyy-MM-dd",
    "timestampFormat": "yyyy-MM-dd HH:mm:ss.SSSSSSXXX",
    "timestampNTZFormat": "yyyy-MM-dd HH:mm:ss.SSSSSS",
}


@dataclass
class Arguments:
    """What Sluice hands to a job."""

    data_interval_start: str
    """ISO 8601 in UTC; the interval is half open."""
    data_interval_end: str
    input: Optional[str] = None
    """The data set of the upstream task: `s3://bucket/prefix/`."""
    output: Optional[str] = None
    """Where to write: `s3://bucket/prefix/`."""
    params: Dict[str, str] = field(default_factory=dict)
    rest: List[str] = field(default_factory=list)
    """`application_args` of the task."""


def parse_arguments(argv: Optional[List[str]] = None) -> Arguments:
    """The arguments of this job, by default those of the process."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--input")
    parser.add_argument("--output")
    parser.add_argument("--data-interval-start", required=True)
    parser.add_argument("--data-interval-end", required=True)
    parser.add_argument("--param", action="append", default=[], metavar="KEY=VALUE")
    known, rest = parser.parse_known_args(argv)
    return Arguments(
        data_interval_start=known.data_interval_start,
        data_interval_end=known.data_interval_end,
        input=known.input,
        output=known.output,
        params=dict(param.split("=", 1) for param in known.param),
        rest=rest,
    )


def session() -> SparkSession:
    """The Spark session, as spark-submit has configured it. The job ends with its main program, whatever threads it leaves behind."""
    _end_with_main_thread()
    return SparkSession.builder.getOrCreate()


_GRACE_SECONDS = 5.0
_watched = False


def _end_with_main_thread() -> None:
    """Ends the process when the main program has ended and threads of it go on for longer than a grace: Python would wait for them for ever."""
    global _watched
    if _watched:
        return
    _watched = True
    codes = []
    report, leave = sys.excepthook, sys.exit

    def note(kind, error, trace):
        codes.append(1)
        report(kind, error, trace)

    def exit_noted(code=None):
        codes.append(0 if code is None else code if isinstance(code, int) else 1)
        leave(code)

    sys.excepthook, sys.exit = note, exit_noted

    def watch():
        threading.main_thread().join()
        end = time.monotonic() + _GRACE_SECONDS
        left = []
        while time.monotonic() < end:
            left = [each for each in threading.enumerate() if each.is_alive() and not each.daemon and each is not threading.main_thread()]
            if not left:
                return
            time.sleep(0.1)
        names = ", ".join(each.name for each in left)
        print(f"The program has ended, and threads of it go on: {names}. They are ended after {_GRACE_SECONDS:g} s.", file=sys.stderr)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(codes[-1] if codes else 0)

    threading.Thread(target=watch, name="sluice-end", daemon=True).start()


def read_dataset(spark: SparkSession, uri: Optional[str]) -> DataFrame:
    """Reads a data set that a Sluice task has published: the files that its manifest names, with the types of its columns."""
    if not uri:
        raise ValueError("this job reads a data set, but the task has no upstream that makes one (there is no --input)")
    manifest = json.loads(_read_text(spark, _join(uri, MANIFEST_NAME)))
    files = [entry["url"] for entry in manifest["entries"]]
    columns = manifest["schema"]
    if manifest["format"] == "parquet":
        if files:
            return spark.read.parquet(*files)
        return spark.createDataFrame([], T.StructType([T.StructField(c["name"], _spark_type(c["type"])) for c in columns]))
    if not columns:
        raise ValueError(f"the manifest of {uri} names no columns")
    # As text first: what cannot be converted is then an error that shows the value, not a NULL.
    text = T.StructType([T.StructField(column["name"], T.StringType()) for column in columns])
    if not files:
        raw = spark.createDataFrame([], text)
    elif manifest["format"] == "csv":
        raw = _read_one_column(spark, files, text) if len(columns) == 1 else spark.read.schema(text).options(**_CSV_READ).csv(files)
    elif manifest["format"] == "jsonl":
        raw = spark.read.json(files, schema=text, mode="FAILFAST")
    else:
        raise ValueError(f"{uri} is in format '{manifest['format']}'; this library reads csv, jsonl and parquet")
    return raw.select([_typed(spark, column["name"], column["type"]) for column in columns])


def write_dataset(data: DataFrame, uri: Optional[str], mode: str = "overwrite") -> None:
    """Writes `data` where Sluice publishes it from: gzipped CSV and, beside it, the columns with PostgreSQL's types."""
    if not uri:
        raise ValueError("this job writes a data set, but the task has no downstream that says where to (there is no --output)")
    columns = [{"name": each.name, "type": _postgres_type(each.name, each.dataType)} for each in data.schema.fields]
    rows = data.select([_writable(each) for each in data.schema.fields])
    if len(columns) == 1:
        _one_column(rows).write.mode(mode).text(uri, compression="gzip", lineSep="\n")
    else:
        rows.write.mode(mode).options(**_CSV_WRITE).csv(uri)
    schema = {"version": 1, "format": "csv", "columns": columns}
    _write_text(data.sparkSession, _join(uri, SCHEMA_NAME), json.dumps(schema, ensure_ascii=False))


def write_metrics(spark: SparkSession, uri: Optional[str], metrics: Dict) -> None:
    """Says what a model is worth, beside its files or, for an evaluation, alone: `{"ndcg_at_10": 0.31}`."""
    if not uri:
        raise ValueError("this job measures a model, but nothing says where to write to (there is no --output)")
    _write_text(spark, _join(uri, METRICS_NAME), json.dumps(metrics))


def _typed(spark: SparkSession, name: str, postgres_type: str) -> Column:
    text = F.col(_quoted(name))
    wanted = _spark_type(postgres_type)
    if isinstance(wanted, T.StringType):
        return text
    value = text.cast(wanted)
    # Spark before 4 answers NULL for what it cannot convert; every release rounds digits away that a decimal has no room for.
    lost = F.lit(False)
    if spark.conf.get("spark.sql.ansi.enabled", "false") != "true":
        lost = lost | value.isNull()
    if isinstance(wanted, T.DecimalType):
        lost = lost | text.rlike(rf"\.\d{{{wanted.scale}}}\d*[1-9]")
    message = F.concat(F.lit(f"column {name}: cannot be read as {_described(postgres_type, wanted)}: "), text)
    return F.when(text.isNotNull() & lost, F.raise_error(message).cast(wanted)).otherwise(value).alias(name)


def _described(postgres_type: str, wanted: T.DataType) -> str:
    if not isinstance(wanted, T.DecimalType) or "(" in postgres_type:
        return postgres_type
    whole = wanted.precision - wanted.scale
    return f"{postgres_type} ({whole} digits before the point and {wanted.scale} behind it; cast it in a query to text or to numeric(p, s))"


def _spark_type(postgres_type: str) -> T.DataType:
    """Types without a counterpart stay text: what PostgreSQL has written is what it reads back."""
    name = postgres_type.lower().strip()
    numeric = re.fullmatch(r"(?:numeric|decimal)(?:\((\d+)(?:,\s*(\d+))?\))?", name)
    if numeric:
        precision, scale = (int(numeric[1]), int(numeric[2] or 0)) if numeric[1] else (38, 18)
        return T.DecimalType(precision, scale) if precision <= 38 else T.StringType()
    name = re.sub(r"\(\d+\)", "", name)
    return {
        "smallint": T.ShortType(),
        "int2": T.ShortType(),
        "integer": T.IntegerType(),
        "int": T.IntegerType(),
        "int4": T.IntegerType(),
        "bigint": T.LongType(),
        "int8": T.LongType(),
        "real": T.FloatType(),
        "float4": T.FloatType(),
        "double precision": T.DoubleType(),
        "float8": T.DoubleType(),
        "boolean": T.BooleanType(),
        "bool": T.BooleanType(),
        "date": T.DateType(),
        "timestamp with time zone": T.TimestampType(),
        "timestamptz": T.TimestampType(),
        "timestamp without time zone": T.TimestampNTZType(),
        "timestamp": T.TimestampNTZType(),
    }.get(name, T.StringType())


def _postgres_type(name: str, spark_type: T.DataType) -> str:
    if isinstance(spark_type, T.DecimalType):
        return f"numeric({spark_type.precision},{spark_type.scale})"
    known = {
        T.ByteType: "smallint",
        T.ShortType: "smallint",
        T.IntegerType: "integer",
        T.LongType: "bigint",
        T.FloatType: "real",
        T.DoubleType: "double precision",
        T.BooleanType: "boolean",
        T.StringType: "text",
        T.VarcharType: "text",
        T.CharType: "text",
        T.DateType: "date",
        T.TimestampType: "timestamp with time zone",
        T.TimestampNTZType: "timestamp without time zone",
        T.BinaryType: "bytea",
        T.ArrayType: "jsonb",
        T.MapType: "jsonb",
        T.StructType: "jsonb",
        T.NullType: "text",
    }.get(type(spark_type))
    if known is None:
        raise TypeError(f"column {name} is of type {spark_type.simpleString()}, which has no counterpart in PostgreSQL: cast it first")
    return known


def _writable(column: T.StructField) -> Column:
    value = F.col(_quoted(column.name))
    if isinstance(column.dataType, T.BinaryType):
        return F.concat(F.lit("\\x"), F.lower(F.hex(value))).alias(column.name)
    if isinstance(column.dataType, (T.ArrayType, T.MapType, T.StructType)):
        return F.to_json(value).alias(column.name)
    if isinstance(column.dataType, T.NullType):
        return value.cast("string").alias(column.name)
    return value


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _read_one_column(spark: SparkSession, files: List[str], schema: T.StructType) -> DataFrame:
    """Spark's CSV reader skips blank lines, which with a single column are NULLs."""

    def rows(file):
        import gzip

        _, content = file
        text = (gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content).decode("utf-8")
        for match in re.finditer(r'"((?:[^"]|"")*)"\n|([^\n]*)\n', text if text.endswith("\n") or not text else text + "\n"):
            quoted, plain = match.groups()
            yield (quoted.replace('""', '"') if quoted is not None else plain or None,)

    return spark.createDataFrame(spark.sparkContext.binaryFiles(",".join(files)).flatMap(rows), schema)


def _one_column(rows: DataFrame) -> DataFrame:
    """The lines of a CSV file with a single column: Spark's CSV writer leaves out rows that are all NULL."""
    column = rows.schema.fields[0]
    value = F.col(_quoted(column.name))
    if isinstance(column.dataType, T.TimestampType):
        value = F.date_format(value, _CSV_WRITE["timestampFormat"])
    escaped = F.concat(F.lit('"'), F.replace(value.cast("string"), F.lit('"'), F.lit('""')), F.lit('"'))
    return rows.select(F.coalesce(escaped, F.lit("")).alias("line"))


def _join(uri: str, name: str) -> str:
    return uri.rstrip("/") + "/" + name


def _file_system(spark: SparkSession, uri: str):
    path = spark._jvm.org.apache.hadoop.fs.Path(uri)
    return path, path.getFileSystem(spark._jsc.hadoopConfiguration())


def _read_text(spark: SparkSession, uri: str) -> str:
    # Without a Spark job: this is one small file.
    path, file_system = _file_system(spark, uri)
    stream = file_system.open(path)
    try:
        return spark._jvm.org.apache.commons.io.IOUtils.toString(stream, "UTF-8")
    finally:
        stream.close()


def _write_text(spark: SparkSession, uri: str, text: str) -> None:
    path, file_system = _file_system(spark, uri)
    stream = file_system.create(path, True)
    try:
        stream.write(bytearray(text, "utf-8"))
    finally:
        stream.close()

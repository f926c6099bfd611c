"""A column of a Spark DataFrame: the task of one partition asks. The key stays in the environment of the
executors."""

import tempfile

from pyspark.sql import SparkSession

from orchestrator import batch

spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
frame = spark.createDataFrame([(f"Name a river in country number {number}",) for number in range(40)], "text string")
folder = tempfile.mkdtemp()
# Written at once: each action on the answers would ask anew.
batch.spark_map(frame, "text").write.mode("overwrite").parquet(folder)
answers = spark.read.parquet(folder)
answers.select("text", "answer_text").show(3)
print("answered:", answers.where("answer_text is not null").count())

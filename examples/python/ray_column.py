"""A column of a Ray Dataset: a pool of one actor asks. The key stays in the environment of the workers."""

import ray

from orchestrator import batch

ray.init(include_dashboard=False, log_to_driver=False)
dataset = ray.data.from_items([{"text": f"Name a river in country number {number}"} for number in range(40)])
answers = batch.ray_map(dataset, "text").materialize()  # materialized: each use would ask anew
print(answers.take(2))
print("answered:", answers.filter(lambda row: row["answer_text"] is not None).count())

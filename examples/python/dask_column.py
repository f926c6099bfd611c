"""A column of a Dask DataFrame: one actor of the cluster asks for all partitions. The key stays in the
environment of the workers (GIGACHAT_CREDENTIALS); here they inherit it."""

import dask.dataframe
import pandas as pd
from distributed import Client, LocalCluster

from orchestrator import batch

if __name__ == "__main__":
    frame = pd.DataFrame({"text": [f"Name a river in country number {number}" for number in range(40)]})
    with LocalCluster(n_workers=2, dashboard_address=None) as cluster, Client(cluster):
        table = dask.dataframe.from_pandas(frame, npartitions=4)
        answers = batch.dask_map(table.text).persist()  # persisted: each compute() would ask anew
        print(table.assign(river=answers.text).compute().head())
        print("answered:", int(answers.text.notnull().sum().compute()))

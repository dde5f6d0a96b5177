"""A Ray cluster of two nodes of one core on this machine: prints its address, then obeys lines.

`remove` takes the second node away; the end of the input ends the cluster.
"""

from __future__ import annotations

import sys

from ray.cluster_utils import Cluster

SETTINGS = {"num_cpus": 1, "object_store_memory": 80_000_000, "include_dashboard": False}


def main() -> None:
    cluster = Cluster(initialize_head=True, head_node_args=SETTINGS)
    second = cluster.add_node(num_cpus=1, object_store_memory=80_000_000)
    cluster.wait_for_nodes()
    print(f"address {cluster.address}", flush=True)
    for line in sys.stdin:
        if line.strip() == "remove":
            cluster.remove_node(second)
            print("removed", flush=True)
    cluster.shutdown()


if __name__ == "__main__":
    main()

# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The options of the modules that keep the state of a zone."""

from __future__ import annotations


class ModuleDocFragment:
    """``cloudadc.aws.autoscale``."""

    DOCUMENTATION = r"""
options:
  group:
    description: Name of the autoscale group.
    type: str
    required: true
  zone:
    description: Availability zone. Each zone of a group has its own state and decisions.
    type: str
    required: true
  policy:
    description: When the zone scales out and in. Numbers may be given as strings, as in surveys.
    type: dict
    required: true
    suboptions:
      metrics:
        description: The metrics to watch, one at least. Figures are those of the whole zone, see
          M(cloudadc.aws.vpx_stat_info).
        type: dict
        required: true
        suboptions:
          cpu:
            description: Packet CPU, mean over the nodes, in percent.
            type: dict
            suboptions: &limits
              min:
                description: Below it the metric allows a scale-in. A number, lower than O(policy.metrics.cpu.max) of
                  the same metric.
                type: raw
              max:
                description: Above it the metric triggers a scale-out. A number.
                type: raw
          memory:
            description: Memory, mean over the nodes, in percent.
            type: dict
            suboptions: *limits
          throughput:
            description: Received and sent, sum over the nodes, in Mbit/s.
            type: dict
            suboptions: *limits
          connections:
            description: Client connections, sum over the nodes.
            type: dict
            suboptions: *limits
          http_requests:
            description: HTTP requests, sum over the nodes, per second.
            type: dict
            suboptions: *limits
            version_added: 0.2.0
          ena_limited:
            description: Packets that AWS queued or dropped because a network allowance of an instance was exceeded
              (bandwidth in, bandwidth out, packets, tracked connections), sum over the nodes, events per minute. Known
              from the second tick of a node on; missing where the appliance's release does not report it.
            type: dict
            suboptions: *limits
            version_added: 0.2.0
          port_errors:
            description: Connections that the Network Load Balancer could not open because it had no port left
              (C(PortAllocationErrorCount)), per minute. Only M(cloudadc.aws.autoscale_tick) reads it, with its option
              C(load_balancer).
            type: dict
            suboptions: *limits
            version_added: 0.2.0
      watch_time:
        description: Minutes for which a breach must last; not shorter than O(policy.interval).
        type: raw
      interval:
        description: Seconds between two ticks. Defaults to V(60).
        type: raw
      cooldown:
        description: Minutes after the decision to scale out in which nothing is evaluated.
        type: raw
      drain_timeout:
        description: Minutes that a node drains after its deregistration from the distributor, before it is removed.
        type: raw
      ttl:
        description: TTL of DNS answers in seconds; needed with O(policy.distributor=dns), refused with V(nlb).
        type: raw
      distributor:
        description: Distributor of clients over the nodes, V(nlb) or V(dns).
        type: str
      min_nodes:
        description: Minimum number of nodes of the zone, at least 1.
        type: raw
      max_nodes:
        description: Maximum number of nodes of the zone.
        type: raw
      step:
        description: Nodes to add or remove at a time, clamped to the limits. Defaults to V(1).
        type: raw
  store:
    description: Store of the group state.
    type: dict
    required: true
    suboptions:
      type:
        description: V(file) needs neither boto3 nor credentials nor a region; V(dynamodb) is for jobs that run on
          several machines.
        type: str
        choices: [file, dynamodb]
        default: file
      path:
        description: For V(file), the file (an existing one, or a name that ends in C(.json)) or a folder of them;
          created if its parent exists.
        type: path
      table:
        description: For V(dynamodb), the name of the table. Partition key C(group), sort key C(zone), both strings.
        type: str
      create:
        description: For V(dynamodb), create the table if it does not exist, billed on demand.
        type: bool
        default: false
  owner:
    description: The executor of decisions. Use a unique name for each job, the same for all calls of that job. Defaults
      to this process.
    type: str
  samples_hours:
    description:
      - Hours for which the sample of this tick is kept in O(store), for M(cloudadc.aws.autoscale_report),
        M(cloudadc.aws.autoscale_replay) and M(cloudadc.aws.autoscale_info). V(0) keeps none; at most 168.
      - It is one more write after the decision is stored. If it fails or takes longer than 5 seconds, there is a
        warning, and the decision stands.
      - Samples are kept by the hour, one for each 10 seconds at most. A DynamoDB table removes old ones by its time to
        live, attribute C(expires).
    type: float
    default: 24
    version_added: 0.2.0
"""

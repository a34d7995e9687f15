"""A deterministic simulation of nodes that share groups' logs: production's own decisions, everything else made here.

Clock, chance, network and disks are simulated; what is decided about a log, a lane, a restore or a journal is decided by
the cores in `node.federation.grouplog`, `node.domain.journal` and `node.outbox.lane`, which import nothing that lives.

    clock     virtual time                     workload  what people do
    network   messages, lost and changed       faults    what breaks, and when
    disk      rows, journal, crash, backup     malice    a node that lies
    papers    documents and their proofs       truth     what was promised, seen from above
    shelf     one copy of one log              checker   what must hold at the end
    node      a process on a machine           run       one seed from beginning to end
    lanes     its deliveries                   report    how often everything happened
    hosting   its own groups                   rules     which decision is whose; switches
    copies    its copies of others' groups

    python -m tests.sim --seeds 300 --first 0          the same as `make sim SEEDS=300`
    python -m tests.sim --seeds 1 --first 4711         one seed again, exactly
"""

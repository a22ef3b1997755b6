"""Whether packets arrive: EC2's part (``vpc``), the appliance's (``host``), a connection there and back (``way``).

Pure: ``way.connection`` decides from a snapshot of the region and the forwarding tables of the appliances in it.
"""

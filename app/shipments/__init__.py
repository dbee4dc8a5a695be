"""Goods on the way: loaded, weighed, dispatched, arrived, received, and what is disputed about them.

Words: shipment (pengiriman, surat jalan), receipt (tanda terima), dispute (sanggahan), crate (peti kembali), payable
weight. Invariants: a shipment carries no more of a line than was ordered, and a departure no more than its capacity;
one receipt per shipment and order; a receipt becomes final once, and only then says which weight of each line is paid.
"""

"""Column types that every table shares."""

from datetime import datetime
from typing import Annotated

from sqlalchemy import BigInteger, DateTime
from sqlalchemy.orm import mapped_column

#: an instant, aware
Instant = Annotated[datetime, mapped_column(DateTime(timezone=True))]
#: whole rupiah, base units or grams
Big = Annotated[int, mapped_column(BigInteger)]

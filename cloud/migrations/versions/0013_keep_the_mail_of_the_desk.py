"""Keep the desk's mail."""

import sqlalchemy as sa
from alembic import op

revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table('mail_addresses',
    sa.Column('id', BIG, nullable=False),
    sa.Column('organisation_id', BIG, nullable=False),
    sa.Column('address', sa.String(length=200), nullable=False),
    sa.Column('person_id', BIG, nullable=False),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisations.id'], name=op.f('fk_mail_addresses_organisation_id_organisations')),
    sa.ForeignKeyConstraint(['person_id'], ['people.id'], name=op.f('fk_mail_addresses_person_id_people')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_mail_addresses')),
    sa.UniqueConstraint('organisation_id', 'address', name=op.f('uq_mail_addresses_organisation_id'))
    )
    op.create_table('mails',
    sa.Column('id', BIG, nullable=False),
    sa.Column('organisation_id', BIG, nullable=False),
    sa.Column('community_id', BIG, nullable=True),
    sa.Column('message_id', sa.String(length=250), nullable=False),
    sa.Column('root_id', BIG, nullable=True),
    sa.Column('sender', sa.String(length=200), nullable=False),
    sa.Column('sender_name', sa.String(length=200), nullable=False),
    sa.Column('subject', sa.String(length=200), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('sent_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('left_out', BIG, nullable=False),
    sa.Column('state', sa.String(length=40), nullable=False),
    sa.Column('person_id', BIG, nullable=True),
    sa.Column('ticket_id', BIG, nullable=True),
    sa.Column('handled_by', BIG, nullable=True),
    sa.Column('handled_name', sa.String(length=80), nullable=False),
    sa.Column('handled_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['community_id'], ['communities.id'], name=op.f('fk_mails_community_id_communities')),
    sa.ForeignKeyConstraint(['handled_by'], ['people.id'], name=op.f('fk_mails_handled_by_people')),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisations.id'], name=op.f('fk_mails_organisation_id_organisations')),
    sa.ForeignKeyConstraint(['person_id'], ['people.id'], name=op.f('fk_mails_person_id_people')),
    sa.ForeignKeyConstraint(['root_id'], ['mails.id'], name=op.f('fk_mails_root_id_mails')),
    sa.ForeignKeyConstraint(['ticket_id'], ['tickets.id'], name=op.f('fk_mails_ticket_id_tickets')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_mails')),
    sa.UniqueConstraint('organisation_id', 'message_id', name=op.f('uq_mails_organisation_id'))
    )
    with op.batch_alter_table('mails', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_mails_root_id'), ['root_id'], unique=False)
        batch_op.create_index('ix_mails_sender', ['organisation_id', 'sender', 'received_at'], unique=False)
        batch_op.create_index('ix_mails_state', ['organisation_id', 'state', 'received_at'], unique=False)

    op.create_table('mail_files',
    sa.Column('id', BIG, nullable=False),
    sa.Column('organisation_id', BIG, nullable=False),
    sa.Column('mail_id', BIG, nullable=False),
    sa.Column('file_id', BIG, nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('width', BIG, nullable=False),
    sa.Column('height', BIG, nullable=False),
    sa.ForeignKeyConstraint(['file_id'], ['files.id'], name=op.f('fk_mail_files_file_id_files')),
    sa.ForeignKeyConstraint(['mail_id'], ['mails.id'], name=op.f('fk_mail_files_mail_id_mails')),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisations.id'], name=op.f('fk_mail_files_organisation_id_organisations')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_mail_files'))
    )
    with op.batch_alter_table('mail_files', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_mail_files_file_id'), ['file_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_mail_files_mail_id'), ['mail_id'], unique=False)

    op.create_table('mail_replies',
    sa.Column('id', BIG, nullable=False),
    sa.Column('organisation_id', BIG, nullable=False),
    sa.Column('mail_id', BIG, nullable=False),
    sa.Column('message_id', sa.String(length=250), nullable=False),
    sa.Column('receiver', sa.String(length=200), nullable=False),
    sa.Column('subject', sa.String(length=200), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('state', sa.String(length=40), nullable=False),
    sa.Column('attempts', BIG, nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('error', sa.String(length=300), nullable=True),
    sa.Column('written_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('author', sa.String(length=80), nullable=False),
    sa.ForeignKeyConstraint(['mail_id'], ['mails.id'], name=op.f('fk_mail_replies_mail_id_mails')),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisations.id'], name=op.f('fk_mail_replies_organisation_id_organisations')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_mail_replies')),
    sa.UniqueConstraint('organisation_id', 'message_id', name=op.f('uq_mail_replies_organisation_id'))
    )
    with op.batch_alter_table('mail_replies', schema=None) as batch_op:
        batch_op.create_index('ix_mail_replies_due', ['state', 'due_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_mail_replies_mail_id'), ['mail_id'], unique=False)



def downgrade() -> None:
    op.drop_table('mail_replies')
    op.drop_table('mail_files')
    op.drop_table('mails')
    op.drop_table('mail_addresses')

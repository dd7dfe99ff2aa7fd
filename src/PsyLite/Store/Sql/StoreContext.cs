using Microsoft.EntityFrameworkCore;

namespace PsyLite.Store.Sql;

/// <summary>The tables, alike in SQLite and PostgreSQL. A change here needs a migration beside it; a test compares the two.</summary>
internal sealed class StoreContext(DbContextOptions<StoreContext> options) : DbContext(options)
{
    public DbSet<OwnerRow> Owners => Set<OwnerRow>();

    public DbSet<ConversationRow> Conversations => Set<ConversationRow>();

    public DbSet<MessageRow> Messages => Set<MessageRow>();

    public DbSet<DataKeyRow> DataKeys => Set<DataKeyRow>();

    public DbSet<OwnerRecordRow> OwnerRecords => Set<OwnerRecordRow>();

    public DbSet<TicketRow> Tickets => Set<TicketRow>();

    public DbSet<AuditRow> Audit => Set<AuditRow>();

    public DbSet<FactRow> Facts => Set<FactRow>();

    public DbSet<AccountRow> Accounts => Set<AccountRow>();

    public DbSet<ApiKeyRow> ApiKeys => Set<ApiKeyRow>();

    public DbSet<TakeoverRow> Takeovers => Set<TakeoverRow>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<OwnerRow>(owner =>
        {
            owner.ToTable("owners");
            owner.HasKey(o => o.Id);
        });
        modelBuilder.Entity<ConversationRow>(conversation =>
        {
            conversation.ToTable("conversations");
            conversation.HasKey(c => c.Id);
            conversation.HasIndex(c => new { c.OwnerId, c.Updated });
            conversation.HasIndex(c => c.Updated);
            conversation.Property(c => c.Version).IsConcurrencyToken();
            conversation.HasOne<OwnerRow>().WithMany().HasForeignKey(c => c.OwnerId).OnDelete(DeleteBehavior.Cascade);
        });
        modelBuilder.Entity<MessageRow>(message =>
        {
            message.ToTable("messages");
            message.HasKey(m => new { m.ConversationId, m.Ordinal });
            message.HasIndex(m => new { m.ConversationId, m.TurnId });
            message.HasOne<ConversationRow>().WithMany().HasForeignKey(m => m.ConversationId).OnDelete(DeleteBehavior.Cascade);
        });
        modelBuilder.Entity<DataKeyRow>(key =>
        {
            key.ToTable("data_keys");
            key.HasKey(k => k.Id);
            key.HasIndex(k => k.MasterId);
        });
        modelBuilder.Entity<OwnerRecordRow>(record =>
        {
            record.ToTable("owner_records");
            record.HasKey(r => r.Id);
            record.HasIndex(r => new { r.OwnerId, r.Kind, r.At });
            record.HasOne<OwnerRow>().WithMany().HasForeignKey(r => r.OwnerId).OnDelete(DeleteBehavior.Cascade);
        });
        modelBuilder.Entity<TicketRow>(ticket =>
        {
            ticket.ToTable("tickets");
            ticket.HasKey(t => t.Id);
            ticket.HasIndex(t => t.ConversationId);
            ticket.HasOne<ConversationRow>().WithMany().HasForeignKey(t => t.ConversationId).OnDelete(DeleteBehavior.Cascade);
        });
        modelBuilder.Entity<AuditRow>(record =>
        {
            record.ToTable("audit");
            record.HasKey(r => r.Sequence);
            record.Property(r => r.Sequence).ValueGeneratedNever();
        });
        modelBuilder.Entity<FactRow>(fact =>
        {
            fact.ToTable("facts");
            fact.HasKey(f => f.Name);
        });
        modelBuilder.Entity<AccountRow>(account =>
        {
            account.ToTable("accounts");
            account.HasKey(a => a.Id);
            account.HasIndex(a => a.Name).IsUnique();
            account.Property(a => a.Version).IsConcurrencyToken();
        });
        modelBuilder.Entity<ApiKeyRow>(key =>
        {
            key.ToTable("api_keys");
            key.HasKey(k => k.Id);
            key.HasIndex(k => k.AccountId);
            key.HasOne<AccountRow>().WithMany().HasForeignKey(k => k.AccountId).OnDelete(DeleteBehavior.Cascade);
        });
        modelBuilder.Entity<TakeoverRow>(takeover =>
        {
            takeover.ToTable("takeovers");
            takeover.HasKey(t => t.ConversationId);
            takeover.HasOne<ConversationRow>().WithOne().HasForeignKey<TakeoverRow>(t => t.ConversationId).OnDelete(DeleteBehavior.Cascade);
        });
    }
}

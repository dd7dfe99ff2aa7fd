using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace PsyLite.Store.Sql.Migrations;

/// <summary>The first tables. Written without column types: each database chooses its own for the same meaning.</summary>
[DbContext(typeof(StoreContext))]
[Migration("001_Conversations")]
internal sealed class M001Conversations : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        CreateOwners(migrationBuilder);
        CreateConversations(migrationBuilder);
        migrationBuilder.CreateTable(
            "data_keys",
            table => new { Id = table.Column<string>(nullable: false), MasterId = table.Column<string>(nullable: false), Wrapped = table.Column<byte[]>(nullable: false) },
            constraints: table => table.PrimaryKey("PK_data_keys", k => k.Id));
        migrationBuilder.CreateIndex("IX_data_keys_MasterId", "data_keys", "MasterId");
        migrationBuilder.CreateTable(
            "audit",
            table => new
            {
                Sequence = table.Column<long>(nullable: false),
                At = table.Column<long>(nullable: false),
                Tier = table.Column<string>(nullable: false),
                Rule = table.Column<string>(nullable: false),
                Action = table.Column<string>(nullable: false),
                ModelHash = table.Column<string>(nullable: true),
                Conversation = table.Column<string>(nullable: true),
                Hash = table.Column<byte[]>(nullable: false),
            },
            constraints: table => table.PrimaryKey("PK_audit", r => r.Sequence));
        migrationBuilder.CreateTable(
            "facts",
            table => new { Name = table.Column<string>(nullable: false), Value = table.Column<string>(nullable: false) },
            constraints: table => table.PrimaryKey("PK_facts", f => f.Name));
    }

    private static void CreateOwners(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.CreateTable(
            "owners",
            table => new { Id = table.Column<string>(nullable: false), Created = table.Column<long>(nullable: false), Settings = table.Column<byte[]>(nullable: true) },
            constraints: table => table.PrimaryKey("PK_owners", o => o.Id));
        migrationBuilder.CreateTable(
            "owner_records",
            table => new
            {
                Id = table.Column<string>(nullable: false),
                OwnerId = table.Column<string>(nullable: false),
                Kind = table.Column<int>(nullable: false),
                At = table.Column<long>(nullable: false),
                Body = table.Column<byte[]>(nullable: false),
            },
            constraints: table =>
            {
                table.PrimaryKey("PK_owner_records", r => r.Id);
                table.ForeignKey("FK_owner_records_owners_OwnerId", r => r.OwnerId, "owners", "Id", onDelete: ReferentialAction.Cascade);
            });
        migrationBuilder.CreateIndex("IX_owner_records_OwnerId_Kind_At", "owner_records", ["OwnerId", "Kind", "At"]);
    }

    private static void CreateConversations(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.CreateTable(
            "conversations",
            table => new
            {
                Id = table.Column<string>(nullable: false),
                OwnerId = table.Column<string>(nullable: false),
                Created = table.Column<long>(nullable: false),
                Updated = table.Column<long>(nullable: false),
                Version = table.Column<long>(nullable: false),
                Head = table.Column<byte[]>(nullable: false),
                State = table.Column<byte[]>(nullable: false),
            },
            constraints: table =>
            {
                table.PrimaryKey("PK_conversations", c => c.Id);
                table.ForeignKey("FK_conversations_owners_OwnerId", c => c.OwnerId, "owners", "Id", onDelete: ReferentialAction.Cascade);
            });
        migrationBuilder.CreateIndex("IX_conversations_OwnerId_Updated", "conversations", ["OwnerId", "Updated"]);
        migrationBuilder.CreateIndex("IX_conversations_Updated", "conversations", "Updated");
        migrationBuilder.CreateTable(
            "messages",
            table => new
            {
                ConversationId = table.Column<string>(nullable: false),
                Ordinal = table.Column<int>(nullable: false),
                TurnId = table.Column<string>(nullable: false),
                Author = table.Column<int>(nullable: false),
                Stage = table.Column<int>(nullable: false),
                At = table.Column<long>(nullable: false),
                Body = table.Column<byte[]>(nullable: true),
                Pending = table.Column<byte[]>(nullable: true),
            },
            constraints: table =>
            {
                table.PrimaryKey("PK_messages", m => new { m.ConversationId, m.Ordinal });
                table.ForeignKey("FK_messages_conversations_ConversationId", m => m.ConversationId, "conversations", "Id", onDelete: ReferentialAction.Cascade);
            });
        migrationBuilder.CreateIndex("IX_messages_ConversationId_TurnId", "messages", ["ConversationId", "TurnId"]);
        migrationBuilder.CreateTable(
            "tickets",
            table => new
            {
                Id = table.Column<string>(nullable: false),
                ConversationId = table.Column<string>(nullable: false),
                At = table.Column<long>(nullable: false),
                Body = table.Column<byte[]>(nullable: false),
            },
            constraints: table =>
            {
                table.PrimaryKey("PK_tickets", t => t.Id);
                table.ForeignKey("FK_tickets_conversations_ConversationId", t => t.ConversationId, "conversations", "Id", onDelete: ReferentialAction.Cascade);
            });
        migrationBuilder.CreateIndex("IX_tickets_ConversationId", "tickets", "ConversationId");
    }
}

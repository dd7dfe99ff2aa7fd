using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace PsyLite.Store.Sql.Migrations;

/// <summary>Accounts with their API keys, and who has taken a conversation over.</summary>
[DbContext(typeof(StoreContext))]
[Migration("002_Accounts")]
internal sealed class M002Accounts : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.CreateTable(
            "accounts",
            table => new
            {
                Id = table.Column<string>(nullable: false),
                Name = table.Column<string>(nullable: false),
                Version = table.Column<long>(nullable: false),
                Body = table.Column<byte[]>(nullable: false),
            },
            constraints: table => table.PrimaryKey("PK_accounts", a => a.Id));
        migrationBuilder.CreateIndex("IX_accounts_Name", "accounts", "Name", unique: true);
        migrationBuilder.CreateTable(
            "api_keys",
            table => new
            {
                Id = table.Column<string>(nullable: false),
                AccountId = table.Column<string>(nullable: false),
                Created = table.Column<long>(nullable: false),
                Body = table.Column<byte[]>(nullable: false),
            },
            constraints: table =>
            {
                table.PrimaryKey("PK_api_keys", k => k.Id);
                table.ForeignKey("FK_api_keys_accounts_AccountId", k => k.AccountId, "accounts", "Id", onDelete: ReferentialAction.Cascade);
            });
        migrationBuilder.CreateIndex("IX_api_keys_AccountId", "api_keys", "AccountId");
        migrationBuilder.CreateTable(
            "takeovers",
            table => new
            {
                ConversationId = table.Column<string>(nullable: false),
                Counsellor = table.Column<string>(nullable: false),
                At = table.Column<long>(nullable: false),
            },
            constraints: table =>
            {
                table.PrimaryKey("PK_takeovers", t => t.ConversationId);
                table.ForeignKey("FK_takeovers_conversations_ConversationId", t => t.ConversationId, "conversations", "Id", onDelete: ReferentialAction.Cascade);
            });
    }
}

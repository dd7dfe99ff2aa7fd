using System.Collections;
using System.Reflection;
using System.Text;
using System.Text.Json;
using PsyLite.Agent;
using PsyLite.Agent.Crisis;
using PsyLite.Agent.Risk;
using PsyLite.Store.Conversations;

namespace PsyLite.Tests.Store;

public sealed class StateRecordTests
{
    private static readonly DateTimeOffset Day = new(2026, 11, 22, 8, 30, 0, TimeSpan.FromHours(8));

    /// <summary>Every property at a value that a new state does not have; one that is added later fails the test until it is stored too.</summary>
    private static ConversationState Full() => new()
    {
        Id = "c1",
        Turns = 7,
        Tier = Tier.TO,
        CalmTurns = 2,
        WorryTurns = 3,
        LastRiskTurn = 6,
        LastRiskAt = Day,
        LastDangerAt = Day.AddTicks(1),
        AwaitsClearing = true,
        Ticket = new TakeoverTicket("c1-1", "c1", Tier.T4, Day, ["t4.act", "learned"]),
        Episodes = 1,
        FollowUps = 4,
        CheckedInAt = Day.AddDays(1),
        LastHelperTurn = 5,
        Region = "HK",
        Contact = new EmergencyContact("姐姐", "+852 1234"),
        ContactStage = ContactStage.Agreed,
        Plan = new SafetyPlan
        {
            Stage = PlanStage.Writing,
            Step = PlanStep.People,
            IsRevision = true,
            WasOffered = true,
            Answers = { [PlanStep.Signs] = "睡不着 \"引号\" 🕯️", [PlanStep.Places] = "河边\n公园" },
        },
        HumourRefused = true,
        LastCrosstalkTurn = 2,
        OfferedCrosstalk = ["p1", "p2"],
        UsedPresets = ["danger.T3/0"],
    };

    [Fact]
    public void A_state_comes_back_with_every_property()
    {
        var state = Full();
        var fresh = new ConversationState();
        foreach (var property in typeof(ConversationState).GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            Assert.NotEqual(Text(property.GetValue(fresh)), Text(property.GetValue(state)));
        }

        var copy = StateRecord.Read(StateRecord.Write(state));
        Assert.Equal(Text(state), Text(copy));
        Assert.NotSame(state.Plan, copy.Plan);
        Assert.Equal(Text(fresh), Text(StateRecord.Copy(fresh)));
    }

    [Fact]
    public void A_state_of_a_later_version_is_refused()
    {
        var later = Encoding.UTF8.GetString(StateRecord.Write(Full())).Replace("\"Version\":1", "\"Version\":2");
        Assert.Throws<InvalidDataException>(() => StateRecord.Read(Encoding.UTF8.GetBytes(later)));
    }

    [Fact]
    public void Bytes_that_are_no_state_are_refused_and_nothing_else_happens()
    {
        var bytes = StateRecord.Write(Full());
        var random = new Random(5);
        var read = 0;
        for (var i = 0; i < 3000; i++)
        {
            var broken = bytes[..(i % 3 == 0 ? random.Next(bytes.Length) : bytes.Length)];
            for (var k = random.Next(4); k > 0 && broken.Length > 0; k--)
            {
                broken[random.Next(broken.Length)] = (byte)random.Next(256);
            }

            try
            {
                StateRecord.Read(broken);
                read++;
            }
            catch (InvalidDataException)
            {
                // The one way to say so.
            }
        }

        Assert.InRange(read, 1, 2999);
    }

    /// <summary>All that is public in it, in words.</summary>
    private static string Text(object? value) => value is IEnumerable and not string and not IDictionary
        ? string.Join('|', ((IEnumerable)value).Cast<object>().Select(v => v.ToString()).Order())
        : JsonSerializer.Serialize(value);
}

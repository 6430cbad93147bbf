// Drives nacos-sdk-go: a command per line on standard input, an answer per line on standard output.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nacos-group/nacos-sdk-go/v2/clients"
	"github.com/nacos-group/nacos-sdk-go/v2/clients/naming_client"
	"github.com/nacos-group/nacos-sdk-go/v2/common/constant"
	"github.com/nacos-group/nacos-sdk-go/v2/model"
	"github.com/nacos-group/nacos-sdk-go/v2/vo"
)

type instance struct {
	Ip        string            `json:"ip"`
	Port      uint64            `json:"port"`
	Cluster   string            `json:"cluster"`
	Weight    float64           `json:"weight"`
	Healthy   bool              `json:"healthy"`
	Enabled   bool              `json:"enabled"`
	Ephemeral bool              `json:"ephemeral"`
	Metadata  map[string]string `json:"metadata"`
}

type command struct {
	Id        int64      `json:"id"`
	Do        string     `json:"do"`
	Client    string     `json:"client"`
	Servers   string     `json:"servers"`
	Namespace string     `json:"namespace"`
	Username  string     `json:"username"`
	Password  string     `json:"password"`
	Service   string     `json:"service"`
	Group     string     `json:"group"`
	Clusters  []string   `json:"clusters"`
	Instance  instance   `json:"instance"`
	Instances []instance `json:"instances"`
	Healthy   bool       `json:"healthy"`
	Times     int        `json:"times"`
	Page      uint32     `json:"page"`
	Size      uint32     `json:"size"`
}

type words map[string]any

type client struct {
	name          string
	naming        naming_client.INamingClient
	subscriptions map[string]*vo.SubscribeParam
	watches       map[string]chan struct{}
}

var (
	out  = os.Stdout
	lock sync.Mutex
)

func say(line any) {
	text, err := json.Marshal(line)
	if err != nil {
		panic(err)
	}
	lock.Lock()
	defer lock.Unlock()
	fmt.Fprintln(out, string(text))
}

func shown(instances []model.Instance) []instance {
	all := make([]instance, 0, len(instances))
	for _, each := range instances {
		metadata := each.Metadata
		if metadata == nil {
			metadata = map[string]string{}
		}
		all = append(all, instance{each.Ip, each.Port, each.ClusterName, each.Weight, each.Healthy, each.Enable, each.Ephemeral, metadata})
	}
	return all
}

func given(c command, i instance) vo.RegisterInstanceParam {
	return vo.RegisterInstanceParam{
		Ip: i.Ip, Port: i.Port, Weight: i.Weight, Enable: i.Enabled, Healthy: true, Metadata: i.Metadata,
		ClusterName: i.Cluster, ServiceName: c.Service, GroupName: c.Group, Ephemeral: i.Ephemeral,
	}
}

func open(c command) (*client, error) {
	var servers []constant.ServerConfig
	for _, address := range strings.Split(c.Servers, ",") {
		at := strings.LastIndex(address, ":")
		port, err := strconv.ParseUint(address[at+1:], 10, 16)
		if err != nil {
			return nil, err
		}
		servers = append(servers, *constant.NewServerConfig(address[:at], port))
	}
	directory, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	config := constant.NewClientConfig(
		constant.WithNamespaceId(c.Namespace),
		constant.WithUsername(c.Username),
		constant.WithPassword(c.Password),
		constant.WithNotLoadCacheAtStart(true),
		constant.WithUpdateCacheWhenEmpty(true), // otherwise it keeps the last instance for ever
		constant.WithLogDir(directory+"/logs/"+c.Client),
		constant.WithCacheDir(directory+"/cache/"+c.Client),
	)
	naming, err := clients.NewNamingClient(vo.NacosClientParam{ClientConfig: config, ServerConfigs: servers})
	if err != nil {
		return nil, err
	}
	return &client{c.Client, naming, map[string]*vo.SubscribeParam{}, map[string]chan struct{}{}}, nil
}

func well(done bool, err error) (words, error) {
	if err == nil && !done {
		err = errors.New("answered false (expected: true)")
	}
	return words{}, err
}

func (n *client) tell(by string, c command, more words) {
	line := words{"seen": n.name, "by": by, "service": c.Service, "group": c.Group}
	for word, value := range more {
		line[word] = value
	}
	say(line)
}

func (n *client) list(c command) ([]model.Instance, error) {
	list, err := n.naming.SelectAllInstances(vo.SelectAllInstancesParam{ServiceName: c.Service, GroupName: c.Group, Clusters: c.Clusters})
	return none(list, err)
}

// An empty list is an error to this library.
func none(list []model.Instance, err error) ([]model.Instance, error) {
	if err != nil && strings.Contains(err.Error(), "instance list is empty") {
		return nil, nil
	}
	return list, err
}

func (n *client) done(c command) (words, error) {
	key := fmt.Sprint(c.Service, "|", c.Group, "|", c.Clusters)
	switch c.Do {
	case "register":
		return well(n.naming.RegisterInstance(given(c, c.Instance)))
	case "deregister":
		return well(n.naming.DeregisterInstance(vo.DeregisterInstanceParam{
			Ip: c.Instance.Ip, Port: c.Instance.Port, Cluster: c.Instance.Cluster, ServiceName: c.Service, GroupName: c.Group,
			Ephemeral: c.Instance.Ephemeral,
		}))
	case "batchRegister":
		param := vo.BatchRegisterInstanceParam{ServiceName: c.Service, GroupName: c.Group}
		for _, each := range c.Instances {
			param.Instances = append(param.Instances, given(c, each))
		}
		return well(n.naming.BatchRegisterInstance(param))
	case "list":
		list, err := n.list(c)
		return words{"instances": shown(list)}, err
	case "select":
		list, err := none(n.naming.SelectInstances(vo.SelectInstancesParam{
			ServiceName: c.Service, GroupName: c.Group, Clusters: c.Clusters, HealthyOnly: c.Healthy,
		}))
		return words{"instances": shown(list)}, err
	case "choose":
		chosen := map[string]int{}
		for i := 0; i < c.Times; i++ {
			one, err := n.naming.SelectOneHealthyInstance(vo.SelectOneHealthInstanceParam{
				ServiceName: c.Service, GroupName: c.Group, Clusters: c.Clusters,
			})
			if err != nil && strings.Contains(err.Error(), "instance list is empty") {
				continue // how it says that there is nobody
			}
			if err != nil {
				return nil, err
			}
			chosen[fmt.Sprintf("%s:%d", one.Ip, one.Port)]++
		}
		return words{"chosen": chosen}, nil
	case "services":
		page, err := n.naming.GetAllServicesInfo(vo.GetAllServiceInfoParam{
			NameSpace: c.Namespace, GroupName: c.Group, PageNo: c.Page, PageSize: c.Size,
		})
		return words{"count": page.Count, "services": page.Doms}, err
	case "status":
		if n.naming.ServerHealthy() {
			return words{"status": "UP"}, nil
		}
		return words{"status": "DOWN"}, nil
	case "subscribe":
		param := &vo.SubscribeParam{ServiceName: c.Service, GroupName: c.Group, Clusters: c.Clusters}
		param.SubscribeCallback = func(instances []model.Instance, err error) {
			if instances, err = none(instances, err); err == nil {
				n.tell("event", c, words{"instances": shown(instances)})
			}
		}
		n.subscriptions[key] = param
		err := n.naming.Subscribe(param)
		// Of what the library has already it tells changes alone: a program looks by itself at what there is.
		if list, failed := n.list(c); err == nil && failed == nil && len(list) > 0 {
			n.tell("event", c, words{"instances": shown(list)})
		}
		return words{}, err
	case "unsubscribe":
		param := n.subscriptions[key]
		delete(n.subscriptions, key)
		return words{}, n.naming.Unsubscribe(param)
	case "watch":
		end := make(chan struct{})
		n.watches[key] = end
		go n.watch(c, end)
		return words{}, nil
	case "unwatch":
		close(n.watches[key])
		delete(n.watches, key)
		return words{}, nil
	}
	return nil, fmt.Errorf("do: %s (expected: a known command)", c.Do)
}

// What a caller would be given.
func (n *client) watch(c command, end chan struct{}) {
	var before words
	for {
		list, err := n.list(c)
		now := words{"instances": shown(list)}
		if err != nil {
			now = words{"error": err.Error()}
		}
		if !reflect.DeepEqual(now, before) {
			before = now
			n.tell("watch", c, now)
		}
		select {
		case <-end:
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func version() string {
	info, _ := debug.ReadBuildInfo()
	for _, module := range info.Deps {
		if module.Path == "github.com/nacos-group/nacos-sdk-go/v2" {
			return strings.TrimPrefix(module.Version, "v")
		}
	}
	return "unknown"
}

func main() {
	os.Stdout = os.Stderr // what libraries print is no answer
	all := map[string]*client{}
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 16<<20)
	say(words{"ready": version()})
	for in.Scan() {
		var c command
		if err := json.Unmarshal(in.Bytes(), &c); err != nil {
			panic(err)
		}
		var done words
		var err error
		n := all[c.Client]
		switch {
		case c.Do == "open":
			all[c.Client], err = open(c)
		case n == nil:
			err = fmt.Errorf("client: %s (expected: one that is open)", c.Client)
		case c.Do == "close":
			n.naming.CloseClient()
			delete(all, c.Client)
		default:
			done, err = n.done(c)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			say(words{"id": c.Id, "failed": err.Error()})
		} else {
			if done == nil {
				done = words{}
			}
			say(words{"id": c.Id, "ok": done})
		}
	}
}
